"""The page of a node for people: HTML from what the node says of itself. A pure module.

Everything that is shown is escaped, for peers choose their own names. There are no scripts: the page asks
the browser to load it again.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from concurrent.apps.api import program_of
from concurrent.core.items import PORT_MAX
from concurrent.core.rows import ROWS_MAX
from concurrent.transport.security.hosts import is_loopback

__all__ = ["render_page"]

REFRESH_S: Final = 2
BYTE_UNITS: Final = ("KiB", "MiB", "GiB", "TiB")

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d232b; --paper: #fbfbfa; --soft: #5d6875; --line: #dcdfe3;
  --bar: #2f6f9f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ea; --paper: #15191e; --soft: #98a3af;
  --line: #333a42; --bar: #6fb0dd; } }
body { margin: 0 auto; padding: 1rem; max-width: 64rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; color: var(--soft); } a { color: var(--bar); }
dl { display: flex; flex-wrap: wrap; gap: .75rem 2rem; margin: 1.5rem 0; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-size: 1.25rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem 1.5rem .35rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { color: var(--soft); font-weight: 500; } .number { text-align: right; font-variant-numeric: tabular-nums; }
progress { width: 100%; accent-color: var(--bar); }
.problem { color: #b3261e; } @media (prefers-color-scheme: dark) { .problem { color: #f2897f; } }
"""

Status = Mapping[str, Any]
Cell = str | int | float


class _Markup(str):
    """A text that is HTML already."""


def render_page(title: str, status: Status, now: float, *, is_local: bool = True) -> str:
    """Return the page of a node as HTML.

    :param title: the heading.
    :param status: what the node's ``/status`` answers, with ``problem`` if that could not be had.
    :param now: seconds since the epoch.
    :param is_local: whether the page is for somebody on the node's own machine; others cannot follow a link to
        a loopback address.
    """
    if not is_local and "nodes" in status:
        nodes = [{**node, "port": 0} if is_loopback(str(node["ip"])) else node for node in status["nodes"]]
        status = {**status, "nodes": nodes}
    body = {"master": _master, "slave": _slave, "application": _application}.get(str(status.get("type")))
    parts = [f"<h1>{_text(title)}</h1>", f"<p>{_text(_introduction(status, now))}</p>"]
    if "problem" in status:
        parts.append(f'<p class="problem">{_text(status["problem"])}</p>')
    elif body is not None:
        parts += [*_troubles(status), *_waits(status), *body(status, now)]
    parts.append(
        '<h2>For programs</h2><p><a href="/status">/status</a>, <a href="/stats">/stats</a>, '
        '<a href="/api/1">the methods</a>, <a href="/openapi.json">all of the API</a></p>'
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="refresh" content="{REFRESH_S}">'
        f"<title>{_text(title)}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _introduction(status: Status, now: float) -> str:
    text = f"{status.get('node_id')}, process {status.get('pid')}, version {status.get('version')}"
    started_at = status.get("started_at")
    return text if started_at is None else f"{text}, up for {_duration(now - started_at)}"


def _master(status: Status, now: float) -> list[str]:
    tasks = status["tasks"]
    nodes = [node for node in status["nodes"] if node["state"] in ("registered", "joined")]
    gone = [node for node in status["nodes"] if node["state"] in ("refused", "gone")]
    record_by_number = {one["number"]: one for one in [*tasks["slaves"], *tasks["owners"]]}
    return [
        _figures(
            ("workers", _count(tasks["workers"])),
            ("tasks open", _count(tasks["open"])),
            ("waiting for a slave", _count(tasks["queued"])),
            ("accepted in all", _count(tasks["accepted"])),
            ("their data", _bytes(tasks["open_bytes"])),
            ("of it in files", _bytes(tasks["stored_bytes"])),
            ("scheduler", status["scheduler"]),
            ("channel", f"{status['channel']}, port {status['compute_port']}"),
        ),
        _slaves([node for node in nodes if node["type"] == "slave"], record_by_number, tasks, now),
        _owners(tasks, nodes),
        _running(tasks),
        _table(
            "Task systems",
            ("system", "application", "process", "owner"),
            [
                (str(one["system_id"]), one["application"], str(one["pid"]), str(one["owner"]))
                for one in status["systems"]
            ],
            total=status["system_count"],
        ),
        _table(
            "Nodes that are gone or were refused",
            ("node", "kind", "from", "ago", "why"),
            [
                (
                    f"{program}: {one['node_id']}" if (program := program_of(one)) else one["node_id"],
                    one["type"],
                    one["ip"],
                    _duration(now - one["since"]),
                    one["reason"],
                )
                for one in gone
            ],
        ),
    ]


def _waits(status: Status) -> list[str]:
    """Return what the node waits for, or lets others wait for."""
    held = status.get("tasks", {}).get("held_because")
    waits_for = status.get("waits_for")
    lines = [f"It waits: {waits_for}"] if waits_for else []
    lines += [f"No more tasks are accepted for now: {held}"] if held else []
    return [f'<p class="problem">{_text(line)}</p>' for line in lines]


def _troubles(status: Status) -> list[str]:
    """Return what went wrong in plug-ins, as the first thing to read."""
    return [
        f'<p class="problem">{_text(one["component"])}: {_text(one["rule"])} {_text(one["problem"])}; '
        f"{_text(one['action'])} ({_count(one['count'])} times so far)</p>"
        for one in status.get("plugin_troubles", ())
    ]


def _slaves(nodes: Sequence[Status], record_by_number: Mapping[int, Status], tasks: Status, now: float) -> str:
    rows: list[tuple[Cell, ...]] = []
    for node in nodes:
        one = record_by_number.get(node["number"], {})
        rows.append(
            (
                _node_link(node),
                f"{node['state']} for {_duration(now - node['since'])}{_silent(one)}",
                one.get("workers", 0),
                one.get("held", 0),
                one.get("done", 0),
                one.get("failed", 0),
                one.get("workers_died", 0),
                _duration(one.get("task_s", 0.0)),
            )
        )
    columns = (
        "slave",
        "state",
        "workers",
        "tasks there",
        "done",
        "of them failed",
        "workers died",
        "a task takes",
    )
    hint = "" if tasks["slave_count"] else "<p>No slave has joined: tasks wait.</p>"
    registered_count = sum(node["state"] == "registered" for node in nodes)
    table = _table("Slaves", columns, rows, total=tasks["slave_count"] + registered_count)
    return (table or "<h2>Slaves</h2>") + hint


def _silent(slave: Status) -> str:
    return ", but reports nothing" if slave.get("silent") else ""


def _owners(tasks: Status, nodes: Sequence[Status]) -> str:
    node_by_id = {node["node_id"]: node for node in nodes}
    rows: list[tuple[Cell, ...]] = []
    for one in tasks["owners"]:
        node = node_by_id.get(one["name"])
        name = one["name"] if node is None else _node_link(node)
        closed = one["finished"] + one["failed"] + one["cancelled"]
        counts = one["queued"], one["open"], one["finished"], one["failed"], one["cancelled"]
        rows.append((name, *counts, _bar(closed, closed + one["open"])))
    columns = (
        "application or system", "waiting", "open", "finished", "failed", "cancelled", "of what was pushed",
    )  # fmt: skip
    return _table("Whose tasks", columns, rows, total=tasks["owner_count"])


def _running(tasks: Status) -> str:
    rows = [
        (
            f"{one['task']}, {one['owner']}'s {one['id']}",
            one["slave"],
            str(one["worker"]),
            _duration(one["run_s"]),
            one["note"],
        )
        for one in tasks["running"]
    ]
    columns = ("task", "slave", "process", "for", "what is unusual")
    return _table("Running for a while", columns, rows, total=tasks["running_count"])


def _slave(status: Status, _now: float) -> list[str]:
    pool = status["workers"]
    figures = [("master", status["master"]), ("state", status["state"])]
    if not pool:
        return [_figures(*figures)]
    figures += [
        ("workers", _count(pool["size"])),
        ("idle", _count(pool["idle"])),
        ("tasks waiting here", _count(pool["waiting"])),
        ("wanted at a time", _count(pool["window"])),
        ("tasks done", _count(pool["done"])),
        ("workers that died", _count(pool["deaths"])),
        ("a task takes", _duration(pool["task_s"])),
    ]
    long = {one["worker"]: one for one in pool["tasks"]}
    rows = [
        (
            str(pid),
            "idle" if number is None else f"task {number}",
            _duration(long[int(pid)]["run_s"]) if int(pid) in long else "",
            long[int(pid)]["note"] if int(pid) in long else "",
        )
        for pid, number in pool["running"].items()
    ]
    return [_figures(*figures), _table("Workers", ("process", "doing", "for", "what is unusual"), rows)]


def _application(status: Status, _now: float) -> list[str]:
    done, total = status["progress"] or (status["finished"], status["pushed"])
    several = status.get("progress_of", {}) if len(status.get("progress_of", {})) > 1 else {}
    parts = [
        _figures(
            ("application", status["application"]),
            ("master", status["state"]),
            ("tasks pushed", _count(status["pushed"])),
            ("open", _count(status["open"])),
            ("finished", _count(status["finished"])),
            ("of them failed", _count(status["failed"])),
            ("task systems", _count(status["task_systems"])),
        )
    ]
    for name, (part_done, part_total) in several.items():
        count = f"{_count(part_done)} of {_count(part_total)}"
        parts.append(f"<p>{_text(name)}: {count} {_bar(part_done, part_total)}</p>")
    if total and not several:
        parts.append(f"<p>{_count(done)} of {_count(total)} {_bar(done, total)}</p>")
    return parts


def _figures(*figures: tuple[str, Any]) -> str:
    items = "".join(f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in figures)
    return f"<dl>{items}</dl>"


def _table(heading: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, total: int = 0) -> str:
    """Return a table, or nothing if there are no rows.

    :param total: how many rows there are in all, if that is more; a line says how many are not shown.
    """
    if not rows:
        return ""
    head = "".join(
        f'<th scope="col"{_class_of(cell)}>{_text(name)}</th>'
        for name, cell in zip(columns, rows[0], strict=True)
    )
    body = "\n".join(_row(row) for row in rows[:ROWS_MAX])
    left_out = max(total, len(rows)) - len(rows[:ROWS_MAX])
    more = f"<p>{_count(left_out)} more are not shown.</p>" if left_out else ""
    return (
        f'<h2>{_text(heading)}</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>{more}"
    )


def _row(cells: Iterable[Cell]) -> str:
    return "<tr>" + "".join(f"<td{_class_of(cell)}>{_text(cell)}</td>" for cell in cells) + "</tr>"


def _class_of(cell: Cell) -> str:
    return "" if isinstance(cell, str) else ' class="number"'


def _bar(done: int, total: int) -> _Markup:
    value = min(max(done, 0), max(total, 0))
    label = _text(f"{done} of {total}")
    return _Markup(f'<progress value="{value}" max="{max(total, 1)}" aria-label="{label}"></progress>')


def _node_link(node: Status) -> Cell:
    """Return the name of a node, with a link to its own page if it has one."""
    port, ip = node["port"], str(node["ip"])
    program = program_of(node)
    name = f"{program}: {node['node_id']}" if program else str(node["node_id"])
    if type(port) is not int or not 0 < port <= PORT_MAX:
        return name
    host = f"[{ip}]" if ":" in ip else ip
    return _Markup(f'<a href="http://{_text(host)}:{port}/">{_text(name)}</a>')


def _text(value: Any) -> str:
    """Return a value as HTML."""
    if isinstance(value, _Markup):
        return value
    return html.escape(_count(value) if type(value) is int else str(value))


def _count(number: int) -> str:
    return f"{number:,}"


def _bytes(size: int) -> str:
    if size < 1024:
        return f"{size} B"
    power = min((size.bit_length() - 1) // 10, len(BYTE_UNITS))
    return f"{size / 1024**power:.1f} {BYTE_UNITS[power - 1]}"


def _duration(seconds: float) -> str:
    if seconds < 0.001:
        return f"{max(seconds, 0) * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if hours < 1:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} days"
