"""The pools of the standard library, on one machine: every ratio is to one of them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.pool import Pool
from typing import Any

from benchmarks.options import Options
from benchmarks.systems import WAIT_S, Executing, Function, System

__all__ = ["SHARES", "Pooling", "open_pools", "open_shares"]

SHARES = "shares"
"""The name of processes that get their whole share of the work at once."""


class Pooling(System):
    """``multiprocessing.Pool``: ``imap_unordered(chunksize=1)`` one by one, ``map`` in bulk."""

    def __init__(self, pool: Pool) -> None:
        super().__init__("multiprocessing")
        self._pool = pool

    def one_by_one(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """See the base; the results come in any order."""
        results = self._pool.imap_unordered(function, arguments, chunksize=1)
        return [results.next(WAIT_S) for _ in arguments]

    def in_bulk(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """See the base."""
        return self._pool.map_async(function, arguments).get(WAIT_S)

    def call(self, function: Function, argument: Any) -> Any:
        """See the base."""
        return self._pool.apply_async(function, (argument,)).get(WAIT_S)


class _Shares(Pooling):
    """Each process gets its whole share of the arguments at once: nobody can be faster."""

    def __init__(self, pool: Pool, workers: int) -> None:
        super().__init__(pool)
        self.name = SHARES
        self._workers = workers

    def one_by_one(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """See the base."""
        share = -(-len(arguments) // self._workers)
        return self._pool.map_async(function, arguments, chunksize=share).get(WAIT_S)


@contextmanager
def open_shares(options: Options) -> Iterator[System]:
    """Start processes that show what the machine can do; they end with the block."""
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        yield _Shares(pool, options.workers)


@contextmanager
def open_pools(options: Options) -> Iterator[list[System]]:
    """Start both pools, and end them with the block."""
    context = multiprocessing.get_context("spawn")  # threads of ours run already: no fork
    with context.Pool(options.workers) as pool, ProcessPoolExecutor(options.workers, context) as executor:
        yield [Pooling(pool), Executing("processpool", executor)]
