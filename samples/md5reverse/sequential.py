"""What the cluster is compared with: one process, with the same kernel and with ``hashlib``."""

from __future__ import annotations

import time

from . import kernel, kernel_py
from .candidates import Search
from .report import Pace

__all__ = ["HASHLIB_CANDIDATES", "pace_of_hashlib", "pace_of_kernel"]

HASHLIB_CANDIDATES = 1_000_000
"""As many are enough to see the pace of ``hashlib``, and take about half a second."""


def pace_of_kernel(search: Search) -> Pace:
    """Do the whole search in the calling thread."""
    begin_s = time.perf_counter()
    found = kernel.search(*search)
    seconds = time.perf_counter() - begin_s
    return Pace((search.last if found is None else found + 1) - search.first, seconds)


def pace_of_hashlib(search: Search) -> Pace:
    """Do the beginning of the search by ``hashlib`` in the calling thread."""
    part = search._replace(last=min(search.last, search.first + HASHLIB_CANDIDATES))
    begin_s = time.perf_counter()
    found = kernel_py.search(*part)
    seconds = time.perf_counter() - begin_s
    return Pace((part.last if found is None else found + 1) - part.first, seconds)
