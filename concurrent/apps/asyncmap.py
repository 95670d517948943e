"""The calls of one ``map`` of an :class:`.AsyncCluster`: made as their results are taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from typing import Any, Generic, TypeVar

__all__ = ["AsyncMap"]

T = TypeVar("T")


class AsyncMap(Generic[T]):
    """See the module. One task takes the inputs and begins calls, so results come while an input is waited for.

    :param begin: begins a call with some arguments; to cancel its future ends it.
    :param inputs: what has the arguments.
    :param ahead: how many calls may have begun whose results were not taken.
    :param ordered: whether results come in the order of the inputs.
    """

    def __init__(
        self,
        begin: Callable[[tuple[Any, ...]], asyncio.Future[T]],
        inputs: tuple[Iterable[Any] | AsyncIterable[Any], ...],
        ahead: int,
        *,
        ordered: bool,
    ) -> None:
        self._begin = begin
        self._inputs = _zipped(inputs)
        self._room = ahead
        self._has_room = asyncio.Event()
        self._is_ordered = ordered
        self._open: set[asyncio.Future[T]] = set()
        self._next: asyncio.Queue[asyncio.Future[T] | None] = asyncio.Queue()
        self._feeder = asyncio.create_task(self._feed())

    async def __aiter__(self) -> AsyncIterator[T]:
        while (future := await self._next.get()) is not None:
            result = await future
            self._open.discard(future)
            self._room += 1
            self._has_room.set()
            yield result
        await self._feeder  # raises what an input has raised

    def end(self) -> None:
        """Take no more inputs, and end the calls that are open."""
        ended: list[asyncio.Future[Any]] = [self._feeder, *self._open]
        for future in ended:
            if not future.cancel() and not future.cancelled():
                future.exception()  # so that nobody is told that it was never looked at

    async def _feed(self) -> None:
        try:
            async for args in self._inputs:
                self._note(self._begin(args))
                while not self._room:
                    self._has_room.clear()
                    await self._has_room.wait()
        finally:
            if self._is_ordered or not self._open:
                self._next.put_nowait(None)
            else:
                last = asyncio.gather(*self._open, return_exceptions=True)
                last.add_done_callback(lambda _last: self._next.put_nowait(None))

    def _note(self, future: asyncio.Future[T]) -> None:
        self._room -= 1
        self._open.add(future)
        if self._is_ordered:
            self._next.put_nowait(future)
        else:
            future.add_done_callback(self._next.put_nowait)


async def _zipped(inputs: tuple[Iterable[Any] | AsyncIterable[Any], ...]) -> AsyncIterator[tuple[Any, ...]]:
    """Yield tuples of an input of each, until one has no more."""
    iterators = [aiter(one) if isinstance(one, AsyncIterable) else _stepwise(one) for one in inputs]
    while iterators:
        try:
            taken = [await anext(one) for one in iterators]
        except StopAsyncIteration:
            return
        yield tuple(taken)


async def _stepwise(inputs: Iterable[Any]) -> AsyncIterator[Any]:
    for one in inputs:
        yield one
