"""What ``concurrent top`` shows at a moment, as lines that fit the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from concurrent.apps.api import printable
from concurrent.apps.columns import Column, Columns, count, duration, size
from concurrent.apps.commands.output import BOLD, GREEN, RED, YELLOW, Screen, iso_time, table
from concurrent.apps.observed import (
    FailureRow,
    FailuresStatus,
    NowStatus,
    ProgressRow,
    ProgressStatus,
    SlaveDetails,
    TaskRow,
    TasksList,
    WorkersList,
)
from concurrent.core.status import Status

__all__ = ["Picture", "View", "picture_of"]

REVERSED: Final = "7"
KEYS: Final = "q quit   arrows choose a task   l its log   c cancel it"
TROUBLES_MIN: Final = 3
"""So many lines on what is wrong there are on a small screen; on others a third of it."""

ROWS_PLAIN: Final = 20
"""So many rows of each list are shown where there is no screen to fill."""


@dataclass(frozen=True)
class Picture(Status):
    """What a master said at a moment."""

    now: NowStatus
    progress: ProgressStatus
    workers: WorkersList
    failures: FailuresStatus
    running: TasksList


@dataclass(frozen=True)
class View:
    """What a person has chosen: the title of a task, and a message that is shown below."""

    chosen: str = ""
    message: str = ""


def picture_of(picture: Picture, screen: Screen, view: View | None = None) -> list[str]:
    """Return a moment as lines.

    :param view: what somebody has chosen who has keys; None: there are none.
    """
    height = screen.height if view is not None else None
    lines = _head(picture.now, screen, height)
    rest = None if height is None else max(0, height - len(lines) - 2)
    parts = [
        ("RUNNING", _running(picture, screen, view), picture.running.total),
        ("WORKERS", table(SLAVES, picture.workers.items, screen), picture.workers.total),
        ("FUNCTIONS", table(FUNCTIONS, picture.progress.items, screen), picture.progress.total),
        ("FAILURES", table(FAILURES, picture.failures.items, screen), picture.failures.total),
    ]
    lines += _fitted([part for part in parts if part[2]], rest, screen)
    if view is not None:
        lines = lines[: max(0, (height or 0) - 1)]
        lines.append(screen.painted(_cut(view.message or KEYS, screen), REVERSED))
    return lines


def _head(now: NowStatus, screen: Screen, height: int | None) -> list[str]:
    counts = now.counts
    states = (
        ("waiting", counts.waiting),
        ("between tries", counts.between_tries),
        ("running", counts.running),
        ("finished", counts.finished),
        ("failed", counts.failed),
        ("cancelled", counts.cancelled),
    )
    is_well = now.moves or not counts.open
    lines = [
        screen.painted(_cut(now.words, screen), GREEN if is_well else RED),
        _cut(
            f"{iso_time(now.at)}  {now.slaves:,} slaves, {now.busy:,} of {now.workers:,} workers busy; tasks: "
            + ", ".join(f"{count(number)} {name}" for name, number in states if number),
            screen,
        ),
    ]
    most = max(TROUBLES_MIN, (height or 0) // 3) if height is not None else now.troubles.total
    shown = now.troubles.items[:most]
    lines += [screen.painted(_cut(f"! {one.said}", screen), YELLOW) for one in shown]
    if more := now.troubles.total - len(shown):
        lines.append(_cut(f"! {more:,} more: 'concurrent doctor' has all, with what to type", screen))
    return lines


def _running(picture: Picture, screen: Screen, view: View | None) -> list[str]:
    rows = [(one, picture.now.at) for one in picture.running.items]
    lines = table(RUNNING, rows, screen)
    if view is None:
        return lines
    place = next((i for i, one in enumerate(picture.running.items) if one.title == view.chosen), None)
    if place is not None:
        lines[place + 1] = screen.painted(lines[place + 1], REVERSED)
        shown = max(1, (screen.height or 0) // 3)
        if place >= shown:  # scroll to it
            return [lines[0], *lines[place + 2 - shown :]]
    return lines


def _fitted(parts: Sequence[tuple[str, list[str], int]], rest: int | None, screen: Screen) -> Iterable[str]:
    """Yield tables one below the other, each with a fair share of the lines that are left."""
    for place, (title, lines, total) in enumerate(parts):
        left = len(parts) - place
        share = ROWS_PLAIN + 1 if rest is None else max(2, rest // left - 2)
        shown = lines[:share]
        missing = total - (len(shown) - 1)
        more = f"  ({missing:,} more)" if missing > 0 else ""
        yield ""
        yield screen.painted(title, BOLD) + more
        yield from shown
        if rest is not None:
            rest = max(0, rest - len(shown) - 2)


def _cut(text: str, screen: Screen) -> str:
    text = printable(text)
    width = screen.width
    return text if width is None or len(text) <= width else f"{text[: width - 1]}\N{HORIZONTAL ELLIPSIS}"


RUNNING: Final[Columns[tuple[TaskRow, float]]] = (
    Column("task", lambda line: line[0].title),
    Column("function", lambda line: line[0].name),
    Column("for", lambda line: duration(line[1] - line[0].since_at) if line[0].since_at else ""),
    Column("slave", lambda line: line[0].slave),
    Column("process", lambda line: line[0].worker or ""),
    Column("says", lambda line: line[0].words),
)
SLAVES: Final[Columns[SlaveDetails]] = (
    Column("slave", lambda one: one.name),
    Column("state", lambda one: one.state),
    Column("busy", lambda one: f"{one.busy} of {one.workers}"),
    Column("held", lambda one: one.held, count),
    Column("done", lambda one: one.done, count),
    Column("failed", lambda one: one.failed, count),
    Column("died", lambda one: one.workers_died, count),
    Column("cpu", lambda one: f"{one.machine_cpu:.1f} of {one.machine_cpus}" if one.machine_cpus else ""),
    Column("memory", lambda one: size(one.machine_used_bytes) if one.machine_bytes else ""),
    Column("what", lambda one: one.words),
)
FUNCTIONS: Final[Columns[ProgressRow]] = (
    Column("function", lambda one: one.function or "(others)"),
    Column("job", lambda one: one.job),
    Column("waiting", lambda one: one.counts.waiting + one.counts.between_tries, count),
    Column("running", lambda one: one.counts.running, count),
    Column("finished", lambda one: one.counts.finished, count),
    Column("failed", lambda one: one.counts.failed, count),
    Column("cancelled", lambda one: one.counts.cancelled, count),
)
FAILURES: Final[Columns[FailureRow]] = (
    Column("failed", lambda one: one.count, count),
    Column("tried again", lambda one: one.tried_again, count),
    Column("function", lambda one: one.function),
    Column("exception", lambda one: one.exception),
    Column("job", lambda one: one.job),
    Column("last", lambda one: iso_time(one.last_at)),
    Column("task", lambda one: next(iter(one.tasks), "")),
    Column("where", lambda one: ", ".join(one.slaves)),
)
