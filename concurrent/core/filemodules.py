"""How the modules of plug-in files are called: each path has a name of its own, which hides no other module.

A pure module.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import FrameType
from typing import Final

from concurrent.core.errors import PluginError

__all__ = ["FILE_MODULE_PREFIX", "check_not_loading", "module_name_of", "shown_name"]

FILE_MODULE_PREFIX: Final = "concurrent_plugin_"


def module_name_of(path: Path) -> str:
    """Return the name that the module of a plug-in file gets, one for each path."""
    digest = hashlib.sha256(bytes(path)).hexdigest()[:8]
    return f"{FILE_MODULE_PREFIX}{digest}_{path.stem}"


def shown_name(module_name: str) -> str:
    """Return a module's name as its author knows it: that of the file, for a plug-in file."""
    if not module_name.startswith(FILE_MODULE_PREFIX):
        return module_name
    return module_name.removeprefix(FILE_MODULE_PREFIX).partition("_")[2]


def check_not_loading(what: str) -> None:
    """Check that the caller is not called by a plug-in file while that is loaded.

    :param what: what the caller would do, behind the name of the file.
    :raises PluginError: if it is: the program in that file would begin anew in each node.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if frame.f_code.co_name == "<module>" and isinstance(name, str) and name.startswith(FILE_MODULE_PREFIX):
            raise PluginError(
                f"{frame.f_code.co_filename} {what} while it is loaded as a plug-in",
                thing=frame.f_code.co_filename,
                remedy="Put what the program does below a line: if __name__ == '__main__':",
            )
        frame = frame.f_back
