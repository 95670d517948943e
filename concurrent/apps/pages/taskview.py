"""One task: what became of it, why it does not run, what it raised and printed. A pure module."""

from __future__ import annotations

from concurrent.apps.columns import duration, run_time
from concurrent.apps.observed import RUNNING, TaskDetails
from concurrent.apps.pages.elements import Element, Node, element
from concurrent.apps.pages.parts import figures, link, note, section, text_block
from concurrent.apps.pages.progresstable import job_link, tasks_link
from concurrent.apps.pages.viewer import Viewer
from concurrent.apps.pages.words import ago, lasting
from concurrent.core.errors import ConcurrentError
from concurrent.scheduling.tasks.explanation import Explanation
from concurrent.transport.web.contents import address

__all__ = ["task_view"]


def task_view(viewer: Viewer) -> list[Node]:
    """Return what is known of the task that the address names."""
    name = viewer.query.get("task", "")
    form = element(
        "form",
        element("label", "Task ", element("input", name="task", value=name, required=True)),
        element("button", "Show", type="submit"),
        action=viewer.path,
        method="get",
        class_="search",
        role="search",
    )
    if not name:
        return [element("p", "Name a task as JOB/ID, or by its number at the master."), form]
    try:
        details = viewer.ask(TaskDetails, "task", task=name)
    except ConcurrentError as error:
        return [form, note(str(error))]
    row, words = details.row, details.explanation
    title = f"Task {row.title}" + (f": {row.name}" if row.name else "")
    open_text = str(row.task) if row.task else ""
    return [
        form,
        section(
            "task",
            title,
            _figures(viewer, details),
            *_buttons(viewer, open_text, row.title),
            lasting=address(viewer.path, {"task": row.title}),
        ),
        *([_explained(words)] if words is not None else []),
        *_text("raised", "How it failed", details.text),
        *_text("output", "What it printed last", details.output),
    ]


def _text(key: str, title: str, text: str) -> list[Node]:
    return [section(key, title, text_block(title, text))] if text else []


def _figures(viewer: Viewer, details: TaskDetails) -> Element:
    row = details.row
    job, others = job_link(row.job), tasks_link(row.name, function=row.name, job=row.job)
    said: list[tuple[str, Node]] = [
        ("state", row.state or "ended"),
        ("what", link(others.text, others.url) if row.name else "not known any more"),
        ("job", link(job.text, job.url)),
    ]
    if row.slave:
        said.append(("slave", link(row.slave, address("/workers", {"find": row.slave}))))
    if row.worker:
        said.append(("process", str(row.worker)))
    if row.since_at:
        is_running = row.state == RUNNING
        when = lasting(row.since_at, viewer.now) if is_running else ago(row.since_at, viewer.now)
        said.append(("runs for" if is_running else "since", when))
    ran = run_time(row.run_s, row.usual_s)
    if ran:
        said.append(("ran for" if row.run_s else "such tasks took there", ran.lstrip("~")))
    if details.came_at:
        said.append(("came", ago(details.came_at, viewer.now)))
    if row.tries:
        said.append(("tried again", str(row.tries)))
    if row.deaths:
        said.append(("workers died of it", str(row.deaths)))
    if row.exception:
        said.append(("raised", row.exception))
    if row.words:
        said.append(("says", row.words))
    return figures(said)


def _buttons(viewer: Viewer, number: str, title: str) -> list[Node]:
    """Return what can be done to an open task.

    :param number: that at the master; empty of one that has ended.
    """
    if not number:
        return []
    buttons = [
        viewer.button("Cancel", "cancel_tasks", f"Cancel task {title}?", title, tasks=[number]),
        viewer.button(
            "Begin again",
            "retry_tasks",
            f"Have task {title} begin again? If it runs, that run is ended.",
            title,
            tasks=[number],
        ),
    ]
    shown = [one for one in buttons if one is not None]
    return [element("p", *shown)] if shown else []


def _explained(words: Explanation) -> Element:
    because = [element("li", line) for line in words.because]
    history = [element("li", line) for line in words.history]
    waits = f"It waits for {words.waits_for}. " if words.waits_for else ""
    able = f"{words.able} of {words.slaves} slaves could run it." if words.task and words.waits_for else ""
    return section(
        "explanation",
        "Why, and what happened",
        element("p", f"{waits}{able}") if waits or able else None,
        element("p", f"It asks for {words.asked}.") if words.task else None,
        element("ul", *because) if because else None,
        element("h3", "History") if history else None,
        element("ol", *history) if history else None,
        element("p", f"Next: {words.then}") if words.then else None,
        element("p", f"It came {duration(words.age_s)} ago.", class_="soft") if words.task else None,
    )
