"""An application as a program of its own: ``python hello.py`` instead of ``concurrent app hello.py``."""

from __future__ import annotations

import atexit
import getpass
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from concurrent.apps.api import EXIT_OK
from concurrent.apps.node import Node
from concurrent.core.errors import PluginError
from concurrent.core.filemodules import FILE_MODULE_PREFIX

if TYPE_CHECKING:
    from concurrent.apps.application import ApplicationNode

__all__ = ["ProgramOrNode", "identity_of", "run_program", "warn_if_unused"]


def run_program(cls: type[ApplicationNode], arguments: Sequence[str] | None = None) -> None:
    """Run an application class as ``concurrent app`` would. Main thread.

    :param arguments: those of ``concurrent app`` behind the name; those of the program if None.
    :raises SystemExit: with the exit code, unless that is 0.
    :raises PluginError: in a file that is being loaded as a plug-in: it is about to be run.
    """
    from concurrent.apps.commands.app import class_parser  # they need the class that needs this module
    from concurrent.apps.main import run_command

    if cls.__module__.startswith(FILE_MODULE_PREFIX):
        raise PluginError(
            f"the file of {cls.__name__} calls its run() while it is loaded",
            thing=cls.__name__,
            remedy="Put the call below a line: if __name__ == '__main__':",
        )
    cls.was_used = True
    code = run_command(class_parser(cls).parse_args(arguments))
    if code != EXIT_OK:
        sys.exit(code)


class ProgramOrNode:
    """``run`` of an application: of the class it is the whole program, of an instance the life of a node."""

    @overload
    def __get__(self, instance: None, owner: type[ApplicationNode]) -> Callable[..., None]: ...
    @overload
    def __get__(self, instance: Node, owner: type[ApplicationNode]) -> Callable[..., int]: ...
    def __get__(self, instance: Node | None, owner: type[ApplicationNode]) -> Callable[..., Any]:
        if instance is None:
            return partial(run_program, owner)
        return partial(Node.run, instance)


def identity_of(cls: type[ApplicationNode]) -> dict[str, str]:
    """Return what a master may show of an application besides its node id."""
    module = sys.modules.get(cls.__module__)
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may have a number only
        user = ""
    return {"application": cls.__name__, "file": getattr(module, "__file__", None) or "", "user": user}


def warn_if_unused(cls: type[ApplicationNode]) -> None:
    """Have a script say so in the end if it has defined an application and never made one."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if cls.__module__ != "__main__" or file is None or sys.flags.interactive or not Path(file).is_file():
        return
    atexit.register(_say_unused, cls, file, os.getpid())


def _say_unused(cls: type[ApplicationNode], file: str, pid: int) -> None:
    has_failed = hasattr(sys, "last_value")
    if cls.was_used or cls.is_abstract() or has_failed or pid != os.getpid():
        return
    sys.stderr.write(
        f"{Path(file).name} defines the application {cls.__name__} and does not run it. Add the lines "
        f"'if __name__ == \"__main__\":' and '    {cls.__name__}.run()', or type: concurrent app {file}\n"
    )
