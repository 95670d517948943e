"""What a node says of itself when it shall be verbose: who runs it, where, what is configured. Main thread."""

from __future__ import annotations

import getpass
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from concurrent.apps.node import Node
from concurrent.apps.version import VERSION
from concurrent.core.config import DEFAULT
from concurrent.core.loggers import get_log
from concurrent.core.process.machine import Machine
from concurrent.scheduling.tasks.claim import MEMORY, shown_amount

__all__ = ["introduce", "introduction"]

log = get_log(__name__)


def introduce(node: Node) -> None:
    """Log who a node is, and each option that somebody has set, with where that was."""
    for line in introduction(node):
        log.info("%s", line)


def introduction(node: Node) -> Iterator[str]:
    """Return those lines, before the node is started."""
    env = node.env
    yield (
        f"Concurrent {VERSION} on Python {platform.python_version()} ({sys.executable}), {platform.system()} "
        f"{platform.machine()}: process {os.getpid()} of {_user()} in {Path.cwd()}"
    )
    machine = Machine()
    yield (
        f"the machine has {machine.cpus()} cores for it, and {_shown(machine.memory_bytes())} of memory, "
        f"{_shown(machine.free_bytes())} of which are free"
    )
    if env.folder is not None:
        yield f"its environment is {env.folder}"
    for plugin in env.plugins:
        yield f"plug-in {plugin.name} is loaded from {plugin.source}"
    is_any_set = False
    for section, option, value, origin in env.config.explain():
        if origin != DEFAULT:
            is_any_set = True
            yield f"configured: [{section}] {option} = {value} ({origin})"
    if not is_any_set:
        yield "nothing is configured: all options have their defaults"
    limits = node.settings.limits()
    yield (
        f"a message may have {_shown(limits.message_bytes_max)}; a peer that says nothing for "
        f"{limits.silence_s:g} s is gone, and may resume its session for {limits.resume_s:g} s"
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have a number only
        return str(os.getuid()) if hasattr(os, "getuid") else "somebody"


def _shown(size_bytes: int) -> str:
    return shown_amount(MEMORY, size_bytes)
