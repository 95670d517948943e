"""Why a task does not run now, as a master tells it: values that become JSON, and their text. A pure module.

Units come last in names: ``_s`` is seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from concurrent.core.status import Status
from concurrent.scheduling.tasks.claim import MEMORY, UNIT, shown_amount

__all__ = [
    "AT_SLAVE",
    "BETWEEN_TRIES",
    "ENDED",
    "KEPT_BACK",
    "NOT_THERE",
    "OFFERED",
    "QUEUED",
    "REFUSED",
    "RUNNING",
    "Explanation",
    "JobExplanation",
    "Wait",
    "has_ended",
    "is_task",
    "not_there",
    "shown_tasks",
    "shown_time",
]

NOT_THERE: Final = "not at the master"
"""Its program has not sent it yet."""
QUEUED: Final = "queued"
"""It waits at the master for a slave."""
KEPT_BACK: Final = "kept back"
"""It waits at the master, and nothing of its job may run now."""
OFFERED: Final = "offered"
"""It is on the work queue, where the first slave takes it that has room."""
AT_SLAVE: Final = "at a slave"
"""A slave has it, and has not told that it runs."""
RUNNING: Final = "running"
REFUSED: Final = "refused"
"""Slaves handed it back, or lost a worker over it; it waits for others."""
BETWEEN_TRIES: Final = "between tries"
"""It raised or passed a limit, and is tried again later."""
ENDED: Final = "ended"
"""What ``state`` of an explanation may be."""

DIGITS_MAX: Final = 19
"""So many digits the number of a task has at most."""

INDENT: Final = " " * 12


@dataclass(frozen=True)
class Explanation(Status):
    """What becomes of one task. ``str()`` of it is text of some lines.

    :param task: its number at the master; 0 if it has none.
    :param id: the number that its program gave it.
    :param owner: the job, program or task system whose task it is.
    :param name: what it is: the name of its class or function.
    :param state: see the constants of this module.
    :param age_s: how long ago the master got it.
    :param asks: the terms that are not usual, by name, as a program writes them; memory in bytes.
    :param waits_for: what it waits for, in a few words; empty if it runs or has ended.
    :param able: how many slaves could run it if nothing else were there, of so many ``slaves``.
    :param slave: the slave that has it; empty if none has.
    :param because: why it does not run now: each reason once, with the slaves for which it holds counted.
    :param history: what happened to it.
    :param then: what happens next.
    """

    task: int
    id: int
    owner: str
    name: str
    state: str
    age_s: float
    asks: Mapping[str, Any]
    waits_for: str
    able: int
    slaves: int
    slave: str
    because: tuple[str, ...]
    history: tuple[str, ...]
    then: str

    def __str__(self) -> str:
        return "\n".join(self._lines())

    @property
    def title(self) -> str:
        """Which task it is, in words."""
        name = f" ({self.name})" if self.name else ""
        number = f", number {self.task} at the master" if self.task else ""
        return f"task {self.id} of {self.owner}{name}{number}"

    @property
    def asked(self) -> str:
        """What it asks for, in words."""
        return "; ".join(_asked(self.asks)) or "a place to run, and nothing more"

    def _lines(self) -> Iterator[str]:
        yield self.title
        where = f" {self.slave}" if self.slave else ""
        age = f", {shown_time(self.age_s)} after it came" if self.task else ""
        yield f"state:      {self.state}{':' if where else ''}{where}{age}"
        if self.task:
            yield f"asks for:   {self.asked}"
        if self.waits_for:
            yield f"waits for:  {self.waits_for}"
        if self.task and self.state not in (AT_SLAVE, RUNNING):
            yield f"could run:  at {self.able} of {self.slaves} slaves"
        for title, lines in (("why:", self.because), ("history:", self.history)):
            for index, line in enumerate(lines):
                yield f"{title:12}{line}" if index == 0 else f"{INDENT}{line}"
        if self.then:
            yield f"next:       {self.then}"


@dataclass(frozen=True)
class Wait(Status):
    """Tasks that wait for the same; ``first`` is the one of them that comes first."""

    count: int
    first: Explanation

    def __str__(self) -> str:
        name = f" ({self.first.name})" if self.first.name else ""
        reasons = "; ".join(self.first.because)
        waits = f" for {self.first.waits_for}" if self.first.waits_for else ""
        why = f": {reasons}" if reasons else ""
        return f"{shown_tasks(self.count)} of {self.first.owner}{name}, {self.first.state}, wait{waits}{why}"


@dataclass(frozen=True)
class JobExplanation(Status):
    """What the tasks of a job wait for. ``str()`` of it is text of some lines.

    :param owner: the job or program.
    :param open: how many of its tasks have not ended, those of its task systems too.
    :param at_slaves: how many of these the slaves have.
    :param reason: why nothing of it runs, or no more of it is accepted; empty otherwise.
    :param waits: the tasks that wait, by what they are and what they ask for: those of which there are most.
    :param left_out: how many more of such groups there are.
    :param unfit: what slaves have not, or not yet, of what its program needs.
    """

    owner: str
    open: int
    at_slaves: int
    reason: str
    waits: tuple[Wait, ...]
    left_out: int
    unfit: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.owner}: {shown_tasks(self.open)} open, {self.at_slaves} of them at slaves"]
        lines += [*([self.reason] if self.reason else []), *self.unfit]
        for wait in self.waits:
            lines += ["", str(wait), f"  the first: {wait.first.title}"]
            lines += [f"  next: {wait.first.then}"] if wait.first.then else []
        lines += ["", f"{self.left_out} more kinds of tasks wait"] if self.left_out else []
        return "\n".join(lines)


def has_ended(task_id: int, owner: str) -> Explanation:
    """Explain a task that is not open any more, by the number that its program gave it.

    :param owner: its job or program.
    """
    then = "its outcome is or was given to its program"
    return replace(_BLANK, id=task_id, owner=owner, state=ENDED, then=then)


def not_there(task_id: int, owner: str, waits_for: str = "", because: str = "") -> Explanation:
    """Explain a task that has not come to a master.

    :param owner: its job or program.
    :param waits_for: what it waits for; empty if its program should send it at any moment.
    """
    return replace(
        _BLANK,
        id=task_id,
        owner=owner,
        state=NOT_THERE,
        waits_for=waits_for or "its program, which sends it in a moment",
        because=(because,) if because else (),
        then="its program sends it to the master",
    )


def is_task(text: str) -> bool:
    """Tell whether a text names a task, and not a whole job: ``JOB/ID``, or its number at the master."""
    job, slash, number = text.rpartition("/")
    return number.isascii() and number.isdecimal() and len(number) <= DIGITS_MAX and bool(job) == bool(slash)


def shown_time(seconds: float) -> str:
    """Return a time in whole units that are not too small."""
    seconds = max(0.0, seconds)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def shown_tasks(count: int) -> str:
    """Return how many tasks there are, in words."""
    return "1 task" if count == 1 else f"{count:,} tasks"


_BLANK: Final = Explanation.from_json({})


def _asked(asks: Mapping[str, Any]) -> Iterator[str]:
    resources = asks.get("resources")
    if isinstance(resources, Mapping) and resources:
        yield ", ".join(f"{name}={_amount(name, value)}" for name, value in resources.items())
    if priority := asks.get("priority"):
        yield f"priority {priority}"
    if timeout_s := asks.get("timeout_s"):
        yield f"at most {timeout_s:g} s for a run"
    if deadline_s := asks.get("deadline_s"):
        yield f"at most {deadline_s:g} s from when it came to its end"
    retry = asks.get("retry")
    if isinstance(retry, Mapping):
        yield f"up to {retry.get('times')} more tries after {', '.join(map(str, retry.get('on', ())))}"
    if attempts_max := asks.get("attempts_max"):
        yield f"up to {attempts_max} attempts if workers die of it"


def _amount(name: str, value: Any) -> str:
    return shown_amount(name, int(value) if name == MEMORY else round(value * UNIT))
