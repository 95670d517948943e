"""A file of requirements as it travels: what is only on this machine is refused, before a slave fails on it.

It is a file for pip: what ``pip freeze``, ``pip-compile``, ``uv pip compile`` and ``uv export`` write. A slave
keeps its text elsewhere, so what is named from the folder of the file is not there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from concurrent.core.errors import ConfigurationError
from concurrent.scheduling.wire.requirementsblob import TEXT_BYTES_MAX

__all__ = ["read_requirements"]

OTHER_FORMATS: Final = frozenset({".toml", ".lock", ".yml", ".yaml", ".json", ".cfg", ".py"})
CONTINUED: Final = re.compile(r"\\\r?\n")
COMMENT: Final = re.compile(r"(^|\s+)#.*$")
DIRECT: Final = re.compile(r"[\w.-]+(?:\[[^]]*\])?\s*@\s*(.*)")
ADDRESS: Final = re.compile(r"(?:[a-z]+\+)?(?!file:)[a-z]+://.*")
"""What is not on a disk."""

EDITABLE: Final = frozenset({"-e", "--editable"})
FILES: Final = frozenset({"-r", "--requirement", "-c", "--constraint"})
PLACES: Final = frozenset({"-f", "--find-links"})
ARCHIVES: Final = (".whl", ".zip", ".tar.gz")

WRITTEN_ANEW: Final = (
    "Write the file with 'pip freeze --exclude-editable', 'uv pip compile' or 'uv export --no-emit-project'"
)
GOES_ALONG: Final = (
    "Leave the line out: modules of the program go along with its tasks, and its files as a project. "
    "'pip freeze --exclude-editable' and 'uv export --no-emit-project' write no such lines"
)
BY_VERSION: Final = (
    "Name it by its version, as 'pip list --format=freeze' does, or by an address that slaves reach"
)


class _Problem(NamedTuple):
    """Why a line means nothing on a slave, and what to do."""

    line: str
    why: str
    remedy: str


def read_requirements(file: Path) -> str:
    """Return the text of a file of requirements.

    :raises ConfigurationError: if it cannot be read, is empty or too long, is of another format, or names what
        is on this machine alone.
    """
    if file.suffix in OTHER_FORMATS:
        raise _refused(file, "is of another format than that of pip", WRITTEN_ANEW)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(file, f"cannot be read: {error}", "Name a text file, as pip freeze writes it") from error
    if not text.strip() or len(text.encode()) > TEXT_BYTES_MAX:
        words = f"has {len(text)} characters; it must have some, and {TEXT_BYTES_MAX} bytes at most"
        raise _refused(file, words, "Leave the option out if the program needs nothing")
    for problem in _problems(text):
        raise _refused(file, f"has {problem.line!r}: {problem.why}", problem.remedy)
    return text


def _refused(file: Path, why: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(
        f"the file of requirements {file} {why}", thing="application.requirements", value=file, remedy=remedy
    )


def _problems(text: str) -> Iterator[_Problem]:
    for joined in CONTINUED.sub(" ", text).splitlines():
        line = COMMENT.sub("", joined).strip()
        found = _problem_of(line) if line else None
        if found is not None:
            yield _Problem(line, *found)


def _problem_of(line: str) -> tuple[str, str] | None:
    """Return why a line means nothing on a slave, and what to do; None if it does."""
    if not line.startswith("-"):
        direct = DIRECT.fullmatch(line)
        return _problem_of_place(direct[1] if direct is not None else line)
    name, *values = re.split(r"[=\s]+", line, maxsplit=1) if line.startswith("--") else (line[:2], line[2:])
    value = "".join(values).strip()
    if name in FILES:
        return "slaves do not have that file", "Put its lines in the place of this one"
    if name in EDITABLE and not ADDRESS.match(value):
        return "slaves do not have that folder", GOES_ALONG
    if name in PLACES and not ADDRESS.match(value) and not os.path.isabs(value.removeprefix("file://")):
        return "slaves read it, and from another folder", "Name it from the root, or by an address"
    return None


def _problem_of_place(place: str) -> tuple[str, str] | None:
    path = re.split(r"[#\s]", place.removeprefix("file://"), maxsplit=1)[0]
    is_path = "/" in path or path.startswith(".") or path.endswith(ARCHIVES)
    if ADDRESS.match(place) or not is_path:
        return None
    if os.path.isabs(path):  # maybe on a disk that all have
        return None if os.path.exists(path) else ("there is no such file", BY_VERSION)
    return "slaves do not have that file", GOES_ALONG
