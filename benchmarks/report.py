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

__all__ = ["document", "table"]

FORMAT_VERSION = 1
PACKAGES = (
    "concurrent-framework", "pyzmq", "msgpack", "cloudpickle", "web.py", "cheroot",
    "loky", "ray", "distributed", "ipyparallel",
)  # fmt: skip
HEADINGS = ("figure", "unit", "system", "median", "min - max", "reference", "its", "ratio", "target", "met")
TEXT_COLUMNS = 3


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text; what is compared with stands below ours."""
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    aligned = [
        "  ".join(
            cell.ljust(width) if column < TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([aligned[0], "-" * len(aligned[0]), *aligned[1:]])


def document(
    options: Options, rows: Iterable[Row], failures: Iterable[dict[str, str]], started_at: float
) -> dict[str, Any]:
    """Return everything that is known of a run, as plain values.

    :param failures: ``case`` and ``error`` of each case that failed.
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
        "failures": list(failures),
    }


def _cells(row: Row) -> tuple[str, ...]:
    target = ""
    if row.target is not None:
        sign = "<=" if row.is_less_better else ">="
        target = f"{sign} {_number(row.target)}"
        if row.target_ratio is not None:
            target += f", {sign} {_number(row.target_ratio)} x"
    return (
        row.title if row.is_ours else "",
        row.unit if row.is_ours else "",
        row.system,
        _number(row.median),
        f"{_number(row.minimum)} - {_number(row.maximum)}",
        row.reference or "",
        _number(row.reference_median),
        f"{row.ratio:.2f}" if row.ratio is not None else "",
        target,
        {None: "", True: "yes", False: "NO"}[row.is_met],
    )


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
