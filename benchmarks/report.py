"""The table for people, and the document for machines."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil

from benchmarks.measure import Row
from benchmarks.options import Options

__all__ = ["document", "table", "targets_table"]

FORMAT_VERSION = 1
PACKAGES = (
    "concurrent-framework", "pyzmq", "msgpack", "cloudpickle", "web.py", "cheroot",
    "loky", "ray", "distributed", "ipyparallel",
)  # fmt: skip
HEADINGS = (
    "figure", "unit", "system", "median", "min - max", "tasks", "reference", "its", "ratio", "target", "met",
)  # fmt: skip
TEXT_COLUMNS = 3


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text by their figures; what is compared with stands below ours."""
    first_by_figure: dict[str, int] = {}
    for index, row in enumerate(rows):
        first_by_figure.setdefault(row.figure, index)
    ordered = sorted(rows, key=lambda row: first_by_figure[row.figure])
    return _aligned(HEADINGS, [_cells(row) for row in ordered])


def targets_table(rows: Sequence[Row]) -> str:
    """Return what is to be reached, what is, and whether that will do, as aligned text."""
    aimed = [row for row in rows if row.is_met is not None]
    cells = [
        (row.title, row.unit, row.system, _number(row.median), _ratio(row), _target(row), _verdict(row))
        for row in aimed
    ]
    return _aligned(("figure", "unit", "system", "median", "ratio", "to be reached", "met"), cells)


def _aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if column < TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (headings, *rows)
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def document(
    options: Options, rows: Sequence[Row], failures: Iterable[dict[str, str]], started_at: float
) -> dict[str, Any]:
    """Return everything that is known of a run, as plain values.

    :param failures: ``case``, ``peer`` and ``error`` of each case that failed.
    :param started_at: seconds since the epoch.
    """
    return {
        "format": FORMAT_VERSION,
        "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started_at)),
        "elapsed_s": round(time.time() - started_at, 1),
        "options": asdict(options),
        "machine": _machine(),
        "versions": _versions(),
        "rows": [asdict(row) for row in rows],
        "targets": {
            "met": [row.figure for row in rows if row.is_met is True],
            "missed": [row.figure for row in rows if row.is_met is False],
        },
        "failures": list(failures),
    }


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.title if row.is_ours else "",
        row.unit if row.is_ours else "",
        row.system,
        _number(row.median),
        f"{_number(row.minimum)} - {_number(row.maximum)}",
        f"{row.task_count:,}" if row.task_count is not None else "",
        row.reference or "",
        _number(row.reference_median),
        _ratio(row),
        _target(row),
        _verdict(row),
    )


def _ratio(row: Row) -> str:
    return f"{row.ratio:.2f}" if row.ratio is not None else ""


def _target(row: Row) -> str:
    if row.target is None:
        return ""
    sign = "<=" if row.is_less_better else ">="
    texts = [f"{sign} {_number(row.target)}"]
    if row.target_ratio is not None:
        texts.append(f"{sign} {_number(row.target_ratio)} x")
    return ", ".join(texts)


def _verdict(row: Row) -> str:
    return {None: "", True: "yes", False: "NO"}[row.is_met]


def _number(value: float | None) -> str:
    """Return about three digits that count."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _machine() -> dict[str, Any]:
    frequency = psutil.cpu_freq()
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "mhz": round(frequency.current) if frequency is not None else None,
        "memory_mb": psutil.virtual_memory().total // 1_000_000,
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        models = []
    return models[0] if models else platform.processor()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
