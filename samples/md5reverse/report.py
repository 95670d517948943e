"""What a run says at its end: what was found, at what pace, and what the cluster gained. A pure module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from concurrent.apps.samples.md5reverse.candidates import Search, text_of
from concurrent.apps.samples.md5reverse.hunt import Outcome
from concurrent.apps.samples.shared.amdahl import describe_share

__all__ = ["Pace", "Run"]


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

    def lines(self) -> list[str]:
        """Return the report, line by line."""
        kernel = "compiled (Cython)" if self.kernel == "cython" else "hashlib, nothing is compiled"
        return [
            f"digest      {self.search.digest.hex()}",
            f"answer      {self._answer()}",
            f"kernel      {kernel}",
            f"flavour     {'a task system' if self.mode == 'system' else 'plain tasks'}",
            *self._parallel(),
            *self._comparison(),
        ]

    def _answer(self) -> str:
        number = self.outcome.number
        if number is None:
            return f"not found in range {self.search.first} to {self.search.last - 1}"
        return f"it is the digest of {text_of(number, self.search.width).decode()}"

    def _parallel(self) -> list[str]:
        done = self.outcome
        rate = done.tried / self.parallel_s
        return [
            f"parallel    {self.parallel_s:.2f} s on {self.workers} workers, {done.tried:,} candidates",
            f"tasks       {done.finished} finished, {done.cancelled} cancelled, {done.unmade} never made",
            f"rate        {_millions(rate)} in all, {_millions(rate / self.workers)} for each worker",
        ]

    def _comparison(self) -> list[str]:
        if self.alone is None or self.hashlib is None:
            return ["sequential  not run"]
        pace = self.hashlib
        hashlib_s = self.alone.tried / pace.per_s
        speed_up = self.alone.seconds / self.parallel_s
        over_hashlib = hashlib_s / self.parallel_s
        return [
            f"sequential  {self.alone.seconds:.2f} s with the kernel, {_millions(self.alone.per_s)}",
            f"hashlib     {hashlib_s:.2f} s at {_millions(pace.per_s)}, measured on {pace.tried:,} candidates",
            f"speed-up    {speed_up:.2f} over the kernel in one process, {over_hashlib:.1f} over hashlib",
            f"Amdahl      {describe_share(speed_up, self.workers)}",
            "to compare  about 4 times faster than sequential (the project's presentation)",
        ]


def _millions(per_s: float) -> str:
    return f"{per_s / 1e6:.2f} million/s"
