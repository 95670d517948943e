"""What a run says at its end: what was found, at what pace, and what the cluster gained. A pure module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from concurrent.apps.samples.shared.layout import Timing, line, mode_in_words
from concurrent.apps.samples.shared.usage import Usage

from .candidates import Search, text_of
from .hunt import Outcome

__all__ = ["Pace", "Run"]

PRESENTED = "S about 4; N is not said, with 8 as elsewhere P = 0.86"


class Pace(NamedTuple):
    """How fast one process was: candidates tried, in so many seconds."""

    tried: int
    seconds: float

    @property
    def per_s(self) -> float:
        """Candidates per second."""
        return self.tried / self.seconds


@dataclass(frozen=True)
class Run:
    """One search, done.

    :param parallel_s: until the number was known to the application, or the range tried.
    :param alone: how the kernel did in one process, None if it was not tried.
    :param hashlib: how ``hashlib`` did in one process, None if it was not tried.
    """

    search: Search
    kernel: str
    mode: str
    workers: int
    outcome: Outcome
    parallel_s: float
    alone: Pace | None
    hashlib: Pace | None
    usage: Usage

    def lines(self) -> list[str]:
        """Return the report, line by line."""
        kernel = "compiled (Cython)" if self.kernel == "cython" else "hashlib, nothing is compiled"
        return [
            line("digest", self.search.digest.hex()),
            line("answer", self._answer()),
            line("kernel", kernel),
            line("variant", mode_in_words(self.mode)),
            *self._timing(),
            *self._search(),
            *self.usage.lines(),
        ]

    def _answer(self) -> str:
        number = self.outcome.number
        if number is None:
            return f"not found in range {self.search.first} to {self.search.last - 1}"
        return f"it is the digest of {text_of(number, self.search.width).decode()}"

    def _timing(self) -> list[str]:
        alone = self.alone
        sequential_s = None if alone is None else alone.seconds
        verdict = "" if alone is None else f"{alone.tried:,} candidates with the same kernel"
        timing = Timing(sequential_s, self.parallel_s, self.outcome.finished, self.workers)
        return timing.lines(verdict, PRESENTED)

    def _search(self) -> list[str]:
        done = self.outcome
        rate = done.tried / self.parallel_s
        lines = [
            line("tasks", f"{done.finished} finished, {done.cancelled} cancelled, {done.unmade} never made"),
            line("rate", f"{_millions(rate)} in all, {_millions(rate / self.workers)} for each worker"),
        ]
        if self.alone is None or self.hashlib is None:
            return lines
        pace = self.hashlib
        hashlib_s = self.alone.tried / pace.per_s
        gain = f"the cluster is {hashlib_s / self.parallel_s:.1f} times faster"
        return [
            *lines,
            line("alone", f"{_millions(self.alone.per_s)} in one process with the kernel"),
            line("hashlib", f"{hashlib_s:.3f} s at {_millions(pace.per_s)} (from {pace.tried:,}); {gain}"),
        ]


def _millions(per_s: float) -> str:
    return f"{per_s / 1e6:.2f} million/s"
