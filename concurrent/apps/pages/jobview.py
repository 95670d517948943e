"""One job: how far it is, what its tasks wait for, how they failed, and what can be done. A pure module."""

from __future__ import annotations

from concurrent.apps.columns import count, duration
from concurrent.apps.jobstatus import ENDED, HELD, JobDetails
from concurrent.apps.observed import FailuresStatus, ProgressStatus
from concurrent.apps.pages.elements import Element, Node, element
from concurrent.apps.pages.failuresview import failure_groups
from concurrent.apps.pages.nowview import counts_shown
from concurrent.apps.pages.parts import figures, note, section
from concurrent.apps.pages.progresstable import progress_table
from concurrent.apps.pages.viewer import Viewer
from concurrent.apps.pages.words import ago
from concurrent.apps.programrecord import ProgramRecord
from concurrent.core.errors import ConcurrentError
from concurrent.scheduling.tasks.explanation import JobExplanation, Wait

__all__ = ["job_view"]


def job_view(viewer: Viewer) -> list[Node]:
    """Return what is known of the job that the address names, or of a program that is none."""
    name = viewer.query.get("job", "")
    if not name:
        return [element("p", "The first page lists the jobs; follow the link of one.")]
    details = _details(viewer, name)
    which = details.job if details else name
    progress = viewer.ask(ProgressStatus, "progress", job=which)
    rows = progress.items
    title = details.title if details else rows[0].job if rows else name
    if details is None and not rows:
        return [note(f"There is no job {name!r}, or it is not yours and has no tasks now.")]
    groups = failure_groups(viewer.ask(FailuresStatus, "failures", job=which).items, viewer)
    return [
        section(
            "job", f"Job {title}", figures(counts_shown(progress.counts, job=which)), *_of(details, viewer)
        ),
        *progress_table(rows, viewer, title="Its functions", left_out=progress.left_out),
        *_waits(viewer, name),
        *([section("failures", "How its tasks failed", *groups)] if groups else []),
    ]


def _details(viewer: Viewer, name: str) -> JobDetails | None:
    """Return what a master tells of a job; None to who may not touch it, and of a program that is none."""
    if not viewer.may("job"):
        return None
    try:
        return viewer.ask(JobDetails, "job", job=name)
    except ConcurrentError:
        return None


def _of(details: JobDetails | None, viewer: Viewer) -> list[Node]:
    """Return what is said of a job itself, and what can be done to it."""
    if details is None:
        return []
    state = details.how or details.state
    said: list[tuple[str, Node]] = [
        ("state", f"{state}: {details.reason}" if details.reason else state),
        ("id", details.job),
        ("of", details.user),
        ("began", ago(details.created_at, viewer.now)),
        ("took", duration((details.ended_at or viewer.now) - details.created_at)),
        ("outcomes to take", count(details.unread)),
        ("survives", details.durability),
    ]
    if details.program:
        said.append(("started by", ProgramRecord.from_json(details.program).text))
    buttons = []
    if details.state != ENDED:
        ask = f"Cancel job {details.title}? All of its {count(details.open)} open tasks are cancelled."
        buttons.append(viewer.button("Cancel job", "cancel_job", ask, details.title, job=details.job))
    if details.state == HELD:
        buttons.append(viewer.button("Release", "release_job", "", details.title, job=details.job))
    shown = [button for button in buttons if button is not None]
    return [
        figures(said),
        *([note(details.note)] if details.note else []),
        *([element("p", *shown)] if shown else []),
    ]


def _waits(viewer: Viewer, name: str) -> list[Node]:
    if not viewer.may("explain_job"):
        return []
    try:
        found = viewer.ask(JobExplanation, "explain_job", job=name)
    except ConcurrentError:
        return []
    if not found.waits:
        return []
    lines = [element("li", *_wait(wait)) for wait in found.waits]
    more = element("p", f"{count(found.left_out)} more kinds of tasks wait.") if found.left_out else None
    return [section("waits", "What its tasks wait for", element("ul", *lines), more)]


def _wait(wait: Wait) -> list[Element | str]:
    then = f" Next: {wait.first.then}." if wait.first.then else ""
    return [f"{wait}.{then}"]
