"""What of a folder belongs to a project, by the names in it. Pure.

Modules do (``*.py``), and what ``include`` names. What ``exclude`` names does not, and what never does: hidden
files and folders, environments, caches, what was built or installed.

Patterns are those of a shell, with ``/`` between folders and ``**`` for any number of them. One without a ``/``
holds at any depth. One that names a folder holds for all that is in it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from concurrent.core.errors import ConfigurationError

__all__ = ["Rules"]

CACHES: Final = frozenset({"__pycache__", "node_modules"})
BUILT: Final = frozenset({"build", "dist", "__pypackages__", "site-packages", "dist-packages"})
OF_BUILDS: Final = (".egg-info", ".dist-info", ".egg")
ENVIRONMENT: Final = frozenset({"pyvenv.cfg", "conda-meta"})
"""What makes a folder an environment if it is in it."""

MODULE: Final = ".py"


class Rules:
    """See the module.

    :param include: patterns of what belongs to the project, besides modules.
    :param exclude: patterns of what does not.
    :raises ConfigurationError: if a pattern leads out of the folder.
    """

    def __init__(self, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> None:
        self._include = [(pattern, _regex(pattern)) for pattern in include]
        self._exclude = [_regex(pattern) for pattern in exclude]
        self._met: set[str] = set()

    def why_not_folder(self, path: str, inside: Collection[str]) -> str:
        """Return why nothing in a folder belongs to the project; empty if something may.

        :param path: below the folder of the project, with ``/``.
        :param inside: the names in it.
        """
        name = path.rpartition("/")[2]
        if name.startswith("."):
            return "it is hidden"
        if not ENVIRONMENT.isdisjoint(inside):
            return "it is an environment"
        if name in CACHES:
            return "it is a cache"
        if name.endswith(OF_BUILDS) or (name in BUILT and f"__init__{MODULE}" not in inside):
            return "it was built or installed"
        return "it is excluded" if self._is_excluded(path) else ""

    def why_not_file(self, path: str) -> str:
        """Return why a file does not belong to the project; empty if it does."""
        if path.rpartition("/")[2].startswith("."):
            return "it is hidden"
        if self._is_excluded(path):
            return "it is excluded"
        if self._is_included(path) or path.endswith(MODULE):
            return ""
        return "it is no module, and nothing includes it"

    def unmet(self) -> list[str]:
        """Return those patterns of ``include`` that no file was asked about which they name."""
        return [pattern for pattern, _ in self._include if pattern not in self._met]

    def _is_excluded(self, path: str) -> bool:
        return any(regex.fullmatch(path) for regex in self._exclude)

    def _is_included(self, path: str) -> bool:
        met = [pattern for pattern, regex in self._include if regex.fullmatch(path)]
        self._met.update(met)
        return bool(met)


def _regex(pattern: str) -> re.Pattern[str]:
    """Return what matches the paths that a pattern names."""
    text = pattern.rstrip("/")
    while text.startswith("./"):
        text = text[2:]
    text = "**" if text == "." else text
    if not text or text.startswith("/") or ".." in text.split("/"):
        raise ConfigurationError(
            f"the pattern {pattern!r} names nothing in the folder of the project",
            thing="pattern",
            value=pattern,
            remedy="Write it as seen from that folder: tables/*.csv",
        )
    anywhere = "" if "/" in text else "(?:.*/)?"
    try:
        return re.compile(f"{anywhere}{_translated(text)}(?:/.*)?", re.DOTALL)
    except re.error as error:
        raise ConfigurationError(
            f"the pattern {pattern!r} is none: {error}", thing="pattern", value=pattern
        ) from None


def _translated(text: str) -> str:
    parts: list[str] = []
    place = 0
    while place < len(text):
        if text.startswith("**/", place):
            parts.append("(?:.*/)?")
            place += 3
        elif text.startswith("**", place):
            parts.append(".*")
            place += 2
        elif text[place] == "*":
            parts.append("[^/]*")
            place += 1
        elif text[place] == "?":
            parts.append("[^/]")
            place += 1
        elif text[place] == "[" and (end := text.find("]", place + 2)) > 0:
            inside = text[place + 1 : end].replace("\\", "\\\\")
            parts.append(f"[{'^' + inside[1:] if inside[0] == '!' else inside}]")
            place = end + 1
        else:
            parts.append(re.escape(text[place]))
            place += 1
    return "".join(parts)
