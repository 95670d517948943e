"""What the methods of a ``Pool`` return before there are results."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from functools import partial
from itertools import count
from multiprocessing import TimeoutError as PoolTimeoutError
from typing import Any, Final, Generic, TypeVar

__all__ = ["AsyncResult", "Callback", "ImapIterator", "ImapUnorderedIterator"]

T = TypeVar("T")

Callback = Callable[[Any], object]
"""What is called with a result, or with an error."""


class AsyncResult(Generic[T]):
    """The result of calls that somebody may wait for. Any thread.

    :param futures: of the calls.
    :param combine: makes the result of theirs; raises what one of them has raised.
    """

    def __init__(self, futures: list[Future[Any]], combine: Callable[[list[Future[Any]]], T]) -> None:
        self._futures = futures
        self._combine = combine
        self._called_back: threading.Event | None = None

    def call_back(
        self,
        post: Callable[[Callable[[], object]], object],
        on_result: Callback | None,
        on_error: Callback | None,
    ) -> None:
        """Call one of two functions when all calls have ended; the result counts as ready after that.

        :param post: has something called by the thread for callbacks.
        """
        self._called_back = threading.Event()
        ended = partial(post, partial(self._call_back, on_result, on_error))
        if not self._futures:
            ended()
        numbers = count(1)
        for future in self._futures:
            future.add_done_callback(lambda _future: next(numbers) == len(self._futures) and ended())

    def _call_back(self, on_result: Callback | None, on_error: Callback | None) -> None:
        assert self._called_back is not None, "else nothing is called back"
        try:
            result = self._combine(self._futures)
        except BaseException as error:  # boundary: it is that of a call, for the function that takes errors
            callback, value = on_error, error
        else:
            callback, value = on_result, result  # type: ignore[assignment]  # either is what its function takes
        try:
            if callback is not None:
                callback(value)
        finally:
            self._called_back.set()

    def ready(self) -> bool:
        """Tell whether all calls have ended, and what is to be called then has been."""
        if self._called_back is not None:
            return self._called_back.is_set()
        return all(future.done() for future in self._futures)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is ready.

        :param timeout: no longer than so many seconds.
        """
        if self._called_back is not None:
            self._called_back.wait(timeout)
        else:
            wait_for(self._futures, timeout)

    def successful(self) -> bool:
        """Tell whether no call has raised.

        :raises ValueError: if it is not ready.
        """
        if not self.ready():
            raise ValueError(f"{self!r} is not ready: wait() for it")
        return all(not future.cancelled() and future.exception() is None for future in self._futures)

    def get(self, timeout: float | None = None) -> T:
        """Return the result, or raise what a call has raised.

        :param timeout: how long to wait, in seconds.
        :raises multiprocessing.TimeoutError: if it is not ready then.
        :raises concurrent.futures.CancelledError: if the pool was terminated.
        """
        self.wait(timeout)
        if not self.ready():
            raise PoolTimeoutError(f"not ready within {timeout} s")
        return self._combine(self._futures)


class ImapIterator(Generic[T]):
    """The results of ``imap``, in the order of the inputs. For one thread at a time, which takes those too.

    An input that cannot be taken ends it, behind the results of those before. After a call that raises it goes
    on.

    :param submit: submits a chunk of calls.
    :param chunks: the arguments of calls.
    :param ahead: how many chunks are submitted whose results were not taken.
    """

    def __init__(
        self,
        submit: Callable[[list[tuple[Any, ...]]], Future[list[T]]],
        chunks: Iterator[list[tuple[Any, ...]]],
        ahead: int,
    ) -> None:
        self._submit = submit
        self._chunks: Iterator[list[tuple[Any, ...]]] | None = chunks
        self._ahead: Final = ahead
        self._error: BaseException | None = None
        self._futures: deque[Future[list[T]]] = deque()
        self._results: deque[T] = deque()  # of the chunk that was taken last
        self._fill()

    def __iter__(self) -> ImapIterator[T]:
        return self

    def __next__(self) -> T:
        return self.next()

    def next(self, timeout: float | None = None) -> T:
        """Return the next result.

        :param timeout: how long to wait for it, in seconds.
        :raises multiprocessing.TimeoutError: if it is not there then; it may be asked for again.
        :raises StopIteration: if there are no more.
        """
        if not self._results:
            if not self._futures:
                self._end()
            future = self._next_future(timeout)
            self._fill()
            self._results.extend(future.result())
        return self._results.popleft()

    @property
    def has_inputs(self) -> bool:
        """Whether there may be inputs that were not taken."""
        return self._chunks is not None

    def take_all(self) -> None:
        """Take all inputs, however many there are."""
        while self._chunks is not None:
            self._take(self._chunks)

    def drop_inputs(self) -> None:
        """Take no more inputs."""
        self._chunks = None

    def _next_future(self, timeout: float | None) -> Future[list[T]]:
        """Return the next future, which has ended, and hold it no more."""
        if not wait_for([self._futures[0]], timeout).done:
            raise PoolTimeoutError(f"no result within {timeout} s")
        return self._futures.popleft()

    def _note(self, future: Future[list[T]]) -> None:
        """Take note of one that was submitted."""
        self._futures.append(future)

    def _fill(self) -> None:
        while self._chunks is not None and len(self._futures) < self._ahead:
            self._take(self._chunks)

    def _take(self, chunks: Iterator[list[tuple[Any, ...]]]) -> None:
        try:
            calls = next(chunks, None)
            if calls is not None:
                self._note(self._submit(calls))
                return
        except Exception as error:  # boundary: of the inputs, or the pool takes no more; it is for who iterates
            self._error = error
        self._chunks = None

    def _end(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error
        raise StopIteration


class ImapUnorderedIterator(ImapIterator[T]):
    """The results of ``imap_unordered``, in the order in which calls end."""

    def __init__(
        self,
        submit: Callable[[list[tuple[Any, ...]]], Future[list[T]]],
        chunks: Iterator[list[tuple[Any, ...]]],
        ahead: int,
    ) -> None:
        self._ends: queue.SimpleQueue[Future[list[T]]] = queue.SimpleQueue()
        super().__init__(submit, chunks, ahead)

    def _next_future(self, timeout: float | None) -> Future[list[T]]:
        try:
            future = self._ends.get(timeout=timeout)
        except queue.Empty:
            raise PoolTimeoutError(f"no result within {timeout} s") from None
        self._futures.remove(future)  # there are few, see ahead
        return future

    def _note(self, future: Future[list[T]]) -> None:
        super()._note(future)
        future.add_done_callback(self._ends.put)
