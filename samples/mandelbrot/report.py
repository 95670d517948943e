"""What a run says at its end: how long it took, and what Amdahl's law makes of it. A pure module."""

from __future__ import annotations

from dataclasses import dataclass

from concurrent.apps.samples.shared.layout import Timing, line, mode_in_words
from concurrent.apps.samples.shared.usage import Usage

__all__ = ["Run"]

PRESENTED = "P = 0.67 from S = 2.4 on N = 8"


@dataclass(frozen=True)
class Run:
    """One picture, computed.

    :param is_identical: whether cluster and one process gave the same counts, to the pixel.
    :param picture: where it is.
    """

    kernel: str
    mode: str
    data: str
    timing: Timing
    is_identical: bool
    usage: Usage
    picture: str

    def lines(self) -> list[str]:
        """Return the report, line by line."""
        kernel = "compiled (Cython)" if self.kernel == "cython" else "pure Python, not compiled"
        verdict = "identical" if self.is_identical else "DIFFER: the picture is wrong"
        return [
            line("kernel", kernel),
            line("variant", f"{mode_in_words(self.mode)}, {self.data} data"),
            *self.timing.lines(f"counts {verdict}", PRESENTED),
            *self.usage.lines(),
            line("picture", self.picture),
        ]
