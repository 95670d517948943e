"""How all samples report: the same columns, the same words, the same comparison. A pure module."""

from __future__ import annotations

from typing import NamedTuple

from concurrent.apps.samples.shared.amdahl import describe_share

__all__ = ["Timing", "line", "mode_in_words"]

LABEL_WIDTH = 12


def line(label: str, text: str) -> str:
    """Return one line of a report: what it is about, and what is to say."""
    return f"{label:<{LABEL_WIDTH}}{text}"


def mode_in_words(mode: str) -> str:
    """Return who handed out the work, in words.

    :param mode: ``system`` or ``tasks``.
    """
    return "a task system" if mode == "system" else "plain tasks"


class Timing(NamedTuple):
    """The same work in one process and on a cluster.

    :param sequential_s: None if it was not done in one process too.
    :param parallel_s: from the first push, to a cluster that was there, until the application had the result.
    :param tasks: how many tasks it was cut into.
    :param workers: how many worker processes there were.
    """

    sequential_s: float | None
    parallel_s: float
    tasks: int
    workers: int

    @property
    def speed_up(self) -> float:
        """S, the time in one process by that on the cluster; not a number without the former."""
        return float("nan") if self.sequential_s is None else self.sequential_s / self.parallel_s

    def parallel_line(self) -> str:
        """Return what the cluster took."""
        what = f"{self.tasks} tasks on {self.workers} workers, from the first push to the result"
        return line("parallel", f"{self.parallel_s:.3f} s, {what}")

    def lines(self, verdict: str, presented: str = "") -> list[str]:
        """Return the comparison; just the times if there is nothing to compare.

        :param verdict: what is to say of the results of both.
        :param presented: the figure on the slides of the original project, if there is one.
        """
        if self.sequential_s is None:
            return [line("sequential", "not run"), self.parallel_line()]
        gained = self.speed_up
        efficiency = f"efficiency {gained / self.workers:.1%} of {self.workers} workers"
        lines = [
            line("sequential", f"{self.sequential_s:.3f} s, {verdict}"),
            self.parallel_line(),
            line("speed-up", f"{gained:.3f}, {efficiency}"),
            line("Amdahl", describe_share(gained, self.workers)),
        ]
        if presented:
            lines.append(line("to compare", f"{presented} (slides of the original project)"))
        return lines
