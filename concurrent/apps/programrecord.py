"""How the program of a job was started: plain values that are kept with the job, so that it is found again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from concurrent.core.status import Status

__all__ = ["ProgramRecord", "record_of"]


@dataclass(frozen=True)
class ProgramRecord(Status):
    """See the module.

    :param application: the name for ``concurrent app``, or the path of a script that runs itself.
    :param is_script: whether it is such a script.
    :param arguments: what it was told of its environment and its options, as on the command line.
    :param folder: the current folder, to which relative paths belong.
    :param python: the interpreter.
    """

    application: str
    is_script: bool
    arguments: tuple[str, ...]
    folder: str
    python: str

    @property
    def text(self) -> str:
        """What a person would type to run it again."""
        return " ".join((self.python if self.is_script else "concurrent app", self.application))


def record_of(name: str, arguments: Sequence[str], *, is_script: bool = False) -> ProgramRecord:
    """Return how a program was started.

    :param name: as it was typed; a path becomes absolute.
    """
    source, separator, cls = (name, "", "") if Path(name).exists() else name.partition(":")
    if Path(source).suffix == ".py" or Path(source).exists():
        source = str(Path(source).expanduser().absolute())
    return ProgramRecord(
        f"{source}{separator}{cls}", is_script, tuple(arguments), str(Path.cwd()), sys.executable
    )
