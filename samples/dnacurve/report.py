"""What a run says at its end: how the sequence bends, and how long that took. A pure module."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from concurrent.apps.samples.shared.layout import Timing, line, mode_in_words
from concurrent.apps.samples.shared.usage import Usage

from .analysis import Analysis
from .bent import Stretch, a_tracts, shortest

__all__ = ["AGREEMENT", "Findings", "Run"]

AGREEMENT = 1e-9
"""How much the cluster may differ from one process: a product that is cut into blocks rounds otherwise."""

COMPARED_FROM_S = 1.0
"""Work that takes one process less is not worth the name: a cluster can only be slower."""

TURN_BASES = range(8, 14)
"""How far apart A-tracts may be that count as one turn of the helix apart."""


@dataclass(frozen=True)
class Findings:
    """What was found out of a sequence.

    :param stretch: its most bent one, None if it is too short for one.
    :param stretch_size: how many bases it has, or would have.
    :param controls: the bend of the most bent stretch of each control, in degrees.
    """

    name: str
    analysis: Analysis
    stretch: Stretch | None
    stretch_size: int
    controls: array[float]

    def lines(self) -> Iterator[str]:
        """Yield what the numbers mean, line by line."""
        sequence, model = self.analysis.sequence, self.analysis.model
        yield line("sequence", f"{self.name}, {len(sequence)} bases; model {model.title}")
        if self.stretch is None:
            yield line("bend", f"not told of fewer than {shortest(self.stretch_size)} bases")
        else:
            yield line("bend", _bend(self.stretch))
            yield line("A-tracts", self._tracts(self.stretch.bases))
            if self.controls:
                yield from self._comparison(self.stretch.degrees)
        yield line("ends", self._ends())

    def _tracts(self, bases: range) -> str:
        tracts = a_tracts(self.analysis.sequence)
        inside = [tract for tract in tracts if tract.start in bases and tract.stop - 1 in bases]
        apart = [(b.start + b.stop - a.start - a.stop) / 2 for a, b in pairwise(inside)]
        found = f"{len(tracts)} in all, {len(inside)} in these bases"
        if not apart:
            return found
        found += f", {min(apart):g} to {max(apart):g} apart" if len(set(apart)) > 1 else f", {apart[0]:g} apart"
        if all(TURN_BASES.start <= bases_apart < TURN_BASES.stop for bases_apart in apart):
            return f"{found}: once a helix turn, so bends add up"
        return found

    def _comparison(self, degrees: float) -> Iterator[str]:
        ordered = sorted(self.controls)
        count = len(ordered)
        usual, high = ordered[count // 2], ordered[math.ceil(0.95 * count) - 1]
        bent = sum(1 for control in ordered if control >= degrees)
        yield line(
            "control",
            f"{count:,} times the same letters in another order: {usual:.0f} degrees are usual, "
            f"and 95% stay below {high:.0f}",
        )
        if bent == 0:
            yield line("verdict", "none of them bends as much: this DNA is bent by the order of its letters")
        else:
            yield line("verdict", f"{bent:,} of {count:,} bend as much or more: {_judged(bent / count)}")

    def _ends(self) -> str:
        axis = self.analysis.shape.axis
        along = sum(math.dist(axis[at - 3 : at], axis[at : at + 3]) for at in range(3, len(axis), 3))
        apart = math.dist(axis[:3], axis[-3:])
        return f"{apart:.0f} \u00c5 apart, and {along:.0f} \u00c5 along the helix"


@dataclass(frozen=True)
class Run:
    """How an analysis went.

    :param error: the largest difference between cluster and one process, 0 if only one of them ran.
    :param files: what was written.
    """

    kernel: str
    mode: str
    timing: Timing
    error: float
    usage: Usage
    files: Sequence[str]

    @property
    def is_equal(self) -> bool:
        """Whether cluster and one process found the same."""
        return self.error <= AGREEMENT

    def lines(self) -> Iterator[str]:
        """Yield the report, line by line."""
        yield line("kernel", "compiled (Cython)" if self.kernel == "cython" else "pure Python, not compiled")
        yield line("variant", mode_in_words(self.mode))
        sequential_s = self.timing.sequential_s
        if sequential_s is None or sequential_s >= COMPARED_FROM_S:
            yield from self.timing.lines(f"result {self._verdict()}")
        else:
            yield self.timing.parallel_line()
            yield line("check", f"one process takes {sequential_s:.3f} s, result {self._verdict()}")
        yield from self.usage.lines()
        yield line("written", ", ".join(self.files) or "nothing")
        if sequential_s is not None and sequential_s < COMPARED_FROM_S:
            yield line("to compare", "times, give it more work: -o dnacurve.controls=50000")

    def _verdict(self) -> str:
        if self.error == 0:
            return "identical"
        return f"equal to {self.error:.1e}" if self.is_equal else f"DIFFERS by {self.error:.1e}"


def _bend(stretch: Stretch) -> str:
    first, last = stretch.bases.start + 1, stretch.bases.stop
    return (
        f"{stretch.degrees:.0f} degrees from base {first} to {last}, "
        f"the most bent {len(stretch.bases)}; straight DNA has 0"
    )


def _judged(share: float) -> str:
    return "more bent than by chance" if share < 0.05 else "no more bent than by chance"
