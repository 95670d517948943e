"""The page of a node for people: HTML from what the node says of itself. A pure module.

Everything that is shown is escaped, for peers choose their own names. There are no scripts: the page asks
the browser to load it again.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from concurrent.apps.columns import (
    APPLICATION,
    GONE,
    JOBS,
    MASTER,
    OWNERS,
    RUNNING,
    SLAVE,
    SLAVES,
    SYSTEMS,
    WAITING,
    WORKERS,
    WORKERS_OF_SLAVE,
    Column,
    Link,
    Row,
    Share,
    count,
    duration,
    lines_of_nodes,
    lines_of_owners,
    lines_of_workers,
    trouble_text,
)
from concurrent.apps.pagestyle import STYLE
from concurrent.apps.status import ApplicationStatus, MasterStatus, NodeStatus, Ping, SlaveStatus
from concurrent.core.rows import ROWS_MAX
from concurrent.transport.security.hosts import is_loopback

__all__ = ["render_page", "render_problem"]

REFRESH_S: Final = 2


def render_page(
    title: str, status: NodeStatus, now: float, *, is_local: bool = True, warning: str = "", viewer: str = ""
) -> str:
    """Return the page of a node as HTML.

    :param title: the heading.
    :param status: what the node says of itself.
    :param now: seconds since the epoch.
    :param is_local: whether the page is for somebody on the node's own machine; others cannot follow a link to
        a loopback address.
    :param warning: what the page says first; empty: nothing.
    :param viewer: who sees the page, as HTML.
    """
    parts = [*_warnings(warning), *_troubles(status), *_waits(status)]
    if isinstance(status, MasterStatus):
        parts += _master(status if is_local else _without_loopback(status), now)
    elif isinstance(status, SlaveStatus):
        parts += _slave(status)
    elif isinstance(status, ApplicationStatus):
        parts += _application(status)
    return _page(title, f"{_who(status)}, up for {duration(now - status.started_at)}", [viewer, *parts])


def render_problem(title: str, ping: Ping, problem: str, *, warning: str = "", viewer: str = "") -> str:
    """Return the page of a node that cannot say what it is doing."""
    return _page(title, _who(ping), [viewer, *_warnings(warning), _problem(problem)])


def _warnings(warning: str) -> list[str]:
    return [_problem(warning)] if warning else []


def _page(title: str, introduction: str, parts: Iterable[str]) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="refresh" content="{REFRESH_S}">'
        f"<title>{_text(title)}</title><style>{STYLE}</style></head>\n<body>\n"
        f"<h1>{_text(title)}</h1>\n<p>{_text(introduction)}</p>\n"
        + "\n".join(parts)
        + '\n<h2>For programs</h2><p><a href="/status">/status</a>, <a href="/stats">/stats</a>, '
        '<a href="/api/1">the methods</a>, <a href="/openapi.json">all of the API</a></p>'
        "\n</body></html>\n"
    )


def _who(ping: Ping) -> str:
    return f"{ping.node_id}, process {ping.pid}, version {ping.version}"


def _without_loopback(status: MasterStatus) -> MasterStatus:
    """Return a status in which nodes of the master's own machine have no page."""
    nodes = tuple(replace(one, port=0) if is_loopback(one.ip) else one for one in status.nodes)
    return replace(status, nodes=nodes)


def _master(status: MasterStatus, now: float) -> list[str]:
    tasks = status.tasks
    lines = lines_of_nodes(status, now)
    here = [line for line in lines if line.node.state in ("registered", "joined")]
    gone = [line for line in lines if line.node.state in ("refused", "gone")]
    slaves = [line for line in here if line.node.type == "slave"]
    slave_count = tasks.slave_count + sum(line.node.state == "registered" for line in slaves)
    return [
        _figures(_facts(MASTER, status)),
        _table("Slaves", SLAVES, slaves, total=slave_count) or "<h2>Slaves</h2>",
        *([] if tasks.slave_count else ["<p>No slave has joined: tasks wait.</p>"]),
        _table("Whose tasks", OWNERS, lines_of_owners(tasks, here), total=tasks.owner_count),
        _table("Jobs", JOBS, [(one, now) for one in status.jobs], total=status.job_count),
        _table("Running for a while", RUNNING, tasks.running, total=tasks.running_count),
        _table("Waiting for a while", WAITING, tasks.waiting),
        _table("Task systems", SYSTEMS, status.systems, total=status.system_count),
        _table("Nodes that are gone or were refused", GONE, gone),
    ]


def _slave(status: SlaveStatus) -> list[str]:
    workers = status.workers
    if workers is None:
        return [_figures(_facts(SLAVE, status))]
    return [
        _figures(_facts(SLAVE, status) + _facts(WORKERS_OF_SLAVE, workers)),
        _table("Workers", WORKERS, lines_of_workers(workers)),
    ]


def _application(status: ApplicationStatus) -> list[str]:
    parts = [_figures(_facts(APPLICATION, status))]
    if len(status.progress_of) > 1:
        parts += [_bar_line(f"{name}: ", Share(*one)) for name, one in status.progress_of.items()]
        return parts
    share = Share(*(status.progress or (status.finished, status.pushed)))
    return [*parts, _bar_line("", share)] if share.total else parts


def _waits(status: NodeStatus) -> list[str]:
    """Return what the node waits for, or lets others wait for."""
    if isinstance(status, MasterStatus):
        held = status.tasks.held_because
        parts = [_problem(f"No more tasks are accepted for now: {held}")] if held else []
        if status.journal is not None and status.journal.problem:
            parts.append(_problem(f"No new work is taken: {status.journal.problem}"))
        return parts
    if isinstance(status, (SlaveStatus, ApplicationStatus)) and status.waits_for:
        return [_problem(f"It waits: {status.waits_for}")]
    return []


def _troubles(status: NodeStatus) -> list[str]:
    """Return what went wrong in plug-ins, as the first thing to read."""
    return [_problem(trouble_text(one)) for one in status.plugin_troubles]


def _problem(text: str) -> str:
    return f'<p class="problem">{_text(text)}</p>'


def _facts(columns: Iterable[Column[Row]], row: Row) -> list[tuple[str, str]]:
    return [(one.title, one.format(one.value(row))) for one in columns]


def _figures(facts: Iterable[tuple[str, str]]) -> str:
    items = "".join(f"<div><dt>{_text(title)}</dt><dd>{_text(text)}</dd></div>" for title, text in facts)
    return f"<dl>{items}</dl>"


def _table(heading: str, columns: Sequence[Column[Row]], rows: Sequence[Row], *, total: int = 0) -> str:
    """Return a table, or nothing if there are no rows.

    :param total: how many rows there are in all, if that is more; a line says how many are not shown.
    """
    if not rows:
        return ""
    head = "".join(f'<th scope="col"{_class_of(one)}>{_text(one.title)}</th>' for one in columns)
    shown = rows[:ROWS_MAX]
    body = "\n".join(f"<tr>{''.join(_cell(one, row) for one in columns)}</tr>" for row in shown)
    left_out = max(total, len(rows)) - len(shown)
    more = f"<p>{count(left_out)} more are not shown.</p>" if left_out else ""
    return (
        f'<h2>{_text(heading)}</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>{more}"
    )


def _class_of(column: Column[Any]) -> str:
    return ' class="number"' if column.is_number else ""


def _cell(column: Column[Row], row: Row) -> str:
    value = column.value(row)
    if isinstance(value, Link):
        inner = f'<a href="{_text(value.url)}">{_text(value.text)}</a>' if value.url else _text(value.text)
    elif isinstance(value, Share):
        inner = _bar(value)
    else:
        inner = _text(column.format(value))
    return f"<td{_class_of(column)}>{inner}</td>"


def _bar_line(name: str, share: Share) -> str:
    return f"<p>{_text(name)}{count(share.done)} of {count(share.total)} {_bar(share)}</p>"


def _bar(share: Share) -> str:
    value = min(max(share.done, 0), max(share.total, 0))
    return f'<progress value="{value}" max="{max(share.total, 1)}" aria-label="{_text(str(share))}"></progress>'


def _text(text: str) -> str:
    """Return a text as HTML."""
    return html.escape(text)
