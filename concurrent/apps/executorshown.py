"""How executors and their futures show themselves: in a line, and as a table in a notebook. Any thread.

Nothing is asked for that: what is shown is what this program knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from concurrent.apps.api import counted, for_terminal

if TYPE_CHECKING:
    from concurrent.apps.executorcore import ExecutorCore
    from concurrent.apps.taskfuture import TaskFuture

__all__ = ["future_line", "line_of", "table_of"]

TEXT_LENGTH_MAX: Final = 200


def line_of(kind: str, core: ExecutorCore, workers: int | None) -> str:
    """Return an executor in a line.

    :param kind: the name of its class.
    :param workers: how many there are; None where nobody has asked yet.
    """
    what = "" if workers is None else f" of {counted(workers, 'worker')}"
    job = "" if core.job is None else f" for job {_short(core.job.name)}"
    state = core.state
    if core.failure is not None and state == "broken":
        state = f"broken: {_short(core.failure.message)}"
    count = core.open_count
    facts = [f"<{kind}{what}{job} at {core.address}", state]
    if count:
        facts.append(f"{counted(count, 'call')} open")
    page = "" if core.is_closed else f"; its page: concurrent open --master {core.address}"
    return f"{', '.join(facts)}{page}>"


def table_of(kind: str, core: ExecutorCore, workers: int | None, asked: str = "") -> str:
    """Return an executor as HTML, in which nothing is markup that somebody has chosen.

    :param asked: what its calls ask for, in words.
    """
    from concurrent.apps.pages.elements import element, to_html  # only notebooks need it

    rows = [("master", str(core.address)), ("state", core.state)]
    if core.failure is not None:
        rows.append(("error", _short(core.failure.message)))
    if core.job is not None:
        rows.append(("job", core.job.name))
    rows.append(("workers", "not asked yet" if workers is None else str(workers)))
    rows.append(("open calls", str(core.open_count)))
    if asked:
        rows.append(("options", asked))
    if not core.is_closed:
        rows.append(("page", f"concurrent open --master {core.address}"))
    cells = [element("tr", element("th", name, scope="row"), element("td", text)) for name, text in rows]
    return to_html([element("table", element("caption", kind), element("tbody", *cells))])


def future_line(future: TaskFuture[Any]) -> str:
    """Return a future in a line: the task and what became of it, or how far it says that it is."""
    task = f"task {future.task_id}" if future.task_id else "not pushed yet"
    name = f" of {_short(future.name)}" if future.name else ""
    if future.cancelled():
        state = "cancelled"
    elif future.done():
        error = future.exception()
        state = "finished" if error is None else f"raised {type(error).__name__}"
    else:
        state = "running" if future.running() else "waiting"
        if future.progress is not None:
            state += f", says {_short(future.progress.words)}"
    return f"<{type(future).__name__}{name}, {task}: {state}>"


def _short(text: str) -> str:
    shown = for_terminal(text)
    return shown if len(shown) <= TEXT_LENGTH_MAX else f"{shown[:TEXT_LENGTH_MAX]}..."
