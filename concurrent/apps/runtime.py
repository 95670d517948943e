"""What has to be the same on all nodes of a cluster, because code travels between them.

A task's code travels as the bytecode of its application's Python, in the form of its cloudpickle; the workers
of the slaves and the hosts of task systems, which are processes of the master, run it. The bytecode of another
Python crashes a worker at best. So each node says at its registration what it runs, and a master takes in those
only that run the same as itself. What a node does not say is not compared: a peer that is no Python has to
know itself what it sends.
"""

from __future__ import annotations

import pickle
import platform
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from concurrent.apps.version import VERSION
from concurrent.core.dependencies import installed_first
from concurrent.core.errors import InvalidArguments, VersionMismatch

with installed_first("cloudpickle"):
    import cloudpickle

__all__ = ["PYTHON", "check_runtime", "describe_runtime", "why_not_of_this"]

SIGNIFICANT: Final = 2
"""So many parts of a version have to agree: 3.11.4 and 3.11.7 do."""

TEXT_LENGTH_MAX: Final = 64

PYTHON: Final = f"{platform.python_implementation()} {'.'.join(platform.python_version_tuple()[:SIGNIFICANT])}"
"""The Python of this process, as far as it matters to others."""


class _Part(NamedTuple):
    """One thing that has to agree: its key in what a node says of itself, its name for people, and ours."""

    key: str
    name: str
    value: str


def _parts() -> tuple[_Part, ...]:
    return (
        _Part("implementation", "", platform.python_implementation()),
        _Part("python", "Python", platform.python_version()),
        _Part("pickle", "pickle protocol", str(pickle.HIGHEST_PROTOCOL)),
        _Part("cloudpickle", "cloudpickle", cloudpickle.__version__),
        _Part("version", "Concurrent", VERSION),
    )


def describe_runtime() -> dict[str, str]:
    """Return what this process runs, for its registration."""
    return {part.key: part.value for part in _parts()}


def check_runtime(node_id: str, data: dict[str, Any]) -> None:
    """Check that a node which registers runs the same as this process. Any thread.

    :param data: what the node says of itself.
    :raises InvalidArguments: if a version is not a short text.
    :raises VersionMismatch: if something that matters is another one.
    """
    for part in _parts():
        theirs = data.get(part.key)
        if theirs is None:
            continue
        if not isinstance(theirs, str) or len(theirs) > TEXT_LENGTH_MAX or not theirs.isprintable():
            raise InvalidArguments(
                f"{part.key} must be a text of at most {TEXT_LENGTH_MAX} characters, but is {theirs!r:.100}",
                thing=part.key,
                remedy="Say the version as a text, or leave it out",
            )
        if _significant(theirs) != _significant(part.value):
            name = f"{part.name} " if part.name else ""
            raise VersionMismatch(
                f"{node_id} runs {name}{theirs}, but its master {name}{part.value}, and code for the one does "
                "not run on the other",
                thing=node_id,
                value=f"{name}{theirs}",
                remedy=f"Start all nodes of a cluster with {name}{_significant(part.value)}",
            )


def why_not_of_this(fingerprint: Mapping[str, Any]) -> str:
    """Return why code that was made with these versions does not run here; nothing if it does.

    :param fingerprint: what :func:`describe_runtime` returned where it was made, or a part of that.
    """
    for part in _parts():
        theirs = fingerprint.get(part.key)
        if isinstance(theirs, str) and _significant(theirs) != _significant(part.value):
            name = f"{part.name} " if part.name else ""
            return (
                f"its code was made with {name}{theirs}, and this master runs {name}{part.value}: start it "
                f"with {name}{_significant(theirs)}, or release the job if its code does not mind"
            )
    return ""


def _significant(version: str) -> str:
    return ".".join(version.split(".")[:SIGNIFICANT])
