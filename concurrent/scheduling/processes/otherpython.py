"""Another interpreter for children: the one of an environment, which has what its owner installed there.

It imports from its own folders, as it does when somebody starts it. The framework need not be installed there:
it is found where this process has it, and so are the packages that children of ours need, unless the
environment has them itself. So both have to be of one minor version, for compiled modules fit no other.
"""

from __future__ import annotations

import concurrent
import importlib.util
import json
import os
import subprocess
import sys
from typing import Final, NamedTuple

from concurrent.core.errors import ConfigurationError

__all__ = ["OtherPython", "borrowed", "look_at", "prelude_for"]

LENT: Final = ("cloudpickle", "msgpack")
"""What workers need besides the framework."""

LOOK_TIMEOUT_S: Final = 60.0
WORDS_MAX: Final = 500
"""So much is told of what an interpreter says that cannot be used, the end of it."""

PRELUDE: Final = (
    "import os, sys, concurrent; "
    "concurrent.__path__[:] = [os.path.join(os.path.dirname(os.__file__), 'concurrent'), *{places!r}]; "
    "from concurrent.scheduling.processes.borrowing import borrow; borrow({lent!r}); "
)
LOOK: Final = (
    "import sys, json; print(json.dumps([sys.implementation.cache_tag, list(sys.version_info[:3])])); "
    "sys.stdout.flush(); assert sys.implementation.cache_tag == {tag!r}; {prelude}"
    "import concurrent.scheduling.worker.worker; print(json.dumps(sys.path))"
)


class OtherPython(NamedTuple):
    """An interpreter that can be used, and the folders that it imports from."""

    executable: str
    folders: tuple[str, ...]


def borrowed() -> dict[str, str]:
    """Return the folders where other interpreters find what is lent to them, by the names of packages."""
    specs = {name: importlib.util.find_spec(name) for name in LENT}
    return {
        name: os.path.dirname(os.path.dirname(os.path.abspath(spec.origin)))
        for name, spec in specs.items()
        if spec is not None and spec.origin is not None
    }


def prelude_for() -> str:
    """Return what another interpreter runs first, so that it finds the framework."""
    own = os.path.join(os.path.dirname(os.path.abspath(os.__file__)), "concurrent")
    places = [os.path.abspath(place) for place in concurrent.__path__]
    return PRELUDE.format(places=[place for place in places if place != own], lent=borrowed())


def look_at(executable: str) -> OtherPython:
    """Return an interpreter, once it has shown that workers can run on it. Waits for that. Any thread.

    :param executable: its path, of the interpreter of an environment, links not followed.
    :raises ConfigurationError: if it cannot be used.
    """
    if not os.path.isfile(executable):
        raise _refused(
            executable, "there is no such file", "Name the python in the bin folder of an environment"
        )
    statements = LOOK.format(tag=sys.implementation.cache_tag, prelude=prelude_for())
    try:
        done = subprocess.run(
            [executable, "-c", statements],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LOOK_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _refused(executable, f"it cannot be run: {error}", "Name one that is a Python") from error
    said = done.stdout.splitlines()
    tag, version = _told(said[0]) if said else ("", "")
    if tag and tag != sys.implementation.cache_tag:
        raise _refused(
            executable,
            f"it is Python {version} ({tag}), and this slave runs on {sys.implementation.cache_tag}",
            "Name one of the same minor version, or start the slave on that one",
        )
    if done.returncode != 0 or len(said) < 2:
        words = done.stderr.strip()[-WORDS_MAX:]
        raise _refused(
            executable, f"it cannot run workers: {words}", "See what it says when it is started as it is here"
        )
    return OtherPython(executable, tuple(json.loads(said[-1])))


def _told(line: str) -> tuple[str, str]:
    """Return what an interpreter is and its version; nothing of what makes no sense."""
    try:
        tag, version = json.loads(line)
        return str(tag), ".".join(map(str, version))
    except (ValueError, TypeError):
        return "", ""


def _refused(executable: str, why: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(
        f"{executable} cannot be the interpreter of workers: {why}",
        thing="slave.python",
        value=executable,
        remedy=remedy,
    )
