"""The jobs of a storm: how each is started, and whether all of it has come, once, and is right."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.storm.programs.work import right_result

__all__ = ["KINDS", "Job", "Verdict"]

KINDS: Final = ("executor", "application", "system")

PROGRAMS: Final = Path(__file__).parent / "programs"


@dataclass
class Verdict:
    """What is wrong with a job, and what is worth knowing.

    ``repeated_runs`` counts how often a task was begun again, as it has to be if its worker was killed.
    ``redelivered`` counts outcomes that a later process of the program was given again, as it had to be.
    """

    problems: list[str] = field(default_factory=list)
    tasks: int = 0
    repeated_runs: int = 0
    redelivered: int = 0


@dataclass(frozen=True)
class Job:
    """One job: its kind, its name, and how many tasks it has."""

    kind: str
    name: str
    count: int
    folder: Path

    def command(self, master: str) -> list[str]:
        """Return how its program is started, each time in the same way."""
        if self.kind == "executor":
            module = "benchmarks.storm.programs.executor"
            return [sys.executable, "-m", module, master, self.name, str(self.folder), str(self.count)]
        options = [f"storm.folder={self.folder}", f"storm.count={self.count}"]
        assignments = [part for one in options for part in ("-o", one)]
        app = ["app", str(PROGRAMS / f"{self.kind}.py"), "--master", master, "--job", self.name, *assignments]
        return [sys.executable, "-m", "concurrent.apps.main", *app]

    def verdict(self) -> Verdict:
        """Say what is wrong with a job whose program has ended."""
        verdict = Verdict(tasks=self.count)
        runs = Counter(words[1] for words in self._lines("runs"))
        verdict.repeated_runs = sum(runs.values()) - len(runs)
        outcomes = list(self._lines("outcomes"))
        by_process = Counter((pid, number) for pid, number, *_ in outcomes)
        twice = [number for (_, number), count in by_process.items() if count > 1]
        if twice:
            verdict.problems.append(f"{len(twice)} outcomes came twice to one process, such as {twice[0]}")
        wanted = self._wanted()
        got: dict[str, set[str]] = {}
        for _, number, *result in outcomes:
            got.setdefault(number, set()).add(" ".join(result))
        verdict.redelivered = len(by_process) - len(got)
        missing = sorted(wanted.keys() - got.keys())
        if missing:
            verdict.problems.append(f"{len(missing)} outcomes are missing, such as {missing[0]}")
        wrong = [number for number in got if got[number] != {wanted.get(number)}]
        if wrong:
            verdict.problems.append(f"{len(wrong)} outcomes are wrong, such as {wrong[0]}: {got[wrong[0]]}")
        return verdict

    def came(self) -> int:
        """Return a number that grows whenever an outcome is noted."""
        path = self.folder / "outcomes"
        return path.stat().st_size if path.exists() else 0

    def _wanted(self) -> dict[str, str]:
        if self.kind == "system":
            return {"total": str(sum(map(right_result, range(self.count))))}
        return {str(number): str(right_result(number)) for number in range(self.count)}

    def _lines(self, name: str) -> list[list[str]]:
        path = self.folder / name
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []
