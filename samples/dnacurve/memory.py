"""How much memory the processes of a run have had at most; Linux tells that of every process in ``/proc``.

A master says its process id at ``/status`` of its JSON API, and those of its slaves. An embedded cluster
listens at an address that nobody is told, but it is found below the application's own process: each
node has a zygote as its first child, and the zygote has the next node (see docs/design/01-nodes.md).
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

__all__ = ["own_peak_bytes", "peak_bytes_by_node"]

TIMEOUT_S = 5.0
PROC = Path("/proc")


def own_peak_bytes() -> int | None:
    """Return the most memory that the calling process has had; None where that is not known."""
    return _peak_bytes(os.getpid())


def peak_bytes_by_node(master: str) -> dict[str, int | None]:
    """Return the most memory of the application's process, of the master and of its slave.

    :param master: ``HOST:PORT`` of the master's JSON API; empty for an embedded cluster.
    :returns: None for what is not known: other machines and other systems than Linux do not tell.
    """
    pid_by_node = _asked(master) if master else _embedded()
    return {
        "application": own_peak_bytes(),
        **{node: _peak_bytes(pid_by_node.get(node, 0)) for node in ("master", "slave")},
    }


def _peak_bytes(pid: int) -> int | None:
    """Return VmHWM, the peak of resident memory (proc_pid_status(5))."""
    if sys.platform != "linux":
        return None
    try:
        lines = (PROC / str(pid) / "status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


def _embedded() -> dict[str, int]:
    master = _first_child(_first_child(os.getpid()))
    return {"master": master, "slave": _first_child(_first_child(master))}


def _first_child(pid: int) -> int:
    """Return the oldest child of a process, 0 if it has none or that is not known."""
    try:
        words = (PROC / str(pid) / "task" / str(pid) / "children").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(words[0]) if words else 0


def _asked(master: str) -> dict[str, int]:
    """Ask a master of this machine for the process ids of itself and of its first slave here."""
    try:
        with urllib.request.urlopen(f"http://{master}/status", timeout=TIMEOUT_S) as answer:
            status: dict[str, Any] = json.load(answer)
    except (OSError, ValueError):
        return {}
    slaves = [
        node["data"].get("pid", 0)
        for node in status["nodes"]
        if (node["type"], node["state"]) == ("slave", "joined") and node["ip"].startswith("127.")
    ]
    is_here = master.startswith(("127.", "localhost:"))
    return {"master": status["pid"] if is_here else 0, "slave": slaves[0] if slaves and is_here else 0}
