"""What the master tells slaves. Tasks have the numbers here that the master gave them. Pure."""

from __future__ import annotations

from typing import Any, Final

from concurrent.scheduling.wire.columns import Payload
from concurrent.scheduling.wire.messages.directions import TO_SLAVE

__all__ = [
    "DRAINS",
    "DURABLE",
    "OPTIONS",
    "PROJECTS",
    "USES",
    "cancel",
    "code",
    "drained",
    "forget",
    "give_back",
    "log_lines",
    "output",
    "run",
    "spared",
    "stored",
    "uses",
]

DURABLE: Final = "durable"
"""The feature of slaves and masters that know how work goes on when a master has started again."""

OPTIONS: Final = "options"
"""The feature of slaves and masters that keep what tasks ask for: limits, retries and resources."""

USES: Final = "uses"
"""The feature of slaves and masters that know which installed modules programs use."""

DRAINS: Final = "drains"
"""The feature of slaves that can be told that they are drained."""


PROJECTS: Final = "projects"
"""The feature of masters that know a project among the blobs of code, and of slaves that unpack it."""


@TO_SLAVE.cast(feature=PROJECTS)
def code(owner: int, index: int, blob: Payload) -> None:
    """Keep the next blob of an owner's code. Parts of a project come empty, see ``projectblobs.py``."""


@TO_SLAVE.cast(feature=OPTIONS)
def run(
    owner: int,
    code_count: int,
    numbers: list[int],
    payloads: list[Payload],
    terms: dict[str, Any] = {},  # noqa: B006  nobody changes it
) -> None:
    """Run tasks of one owner, once their code has come; ``terms`` is what they ask for, see ``runterms.py``."""


@TO_SLAVE.cast(feature=OPTIONS)
def cancel(numbers: list[int], grace_s: float = 0.0) -> None:
    """Drop tasks, running or not; those that run are asked first, and have so long, in seconds."""


@TO_SLAVE.call()
def output(number: int) -> str:
    """Return the end of what a task has printed that runs; empty if it does not."""
    raise NotImplementedError


@TO_SLAVE.call()
def log_lines(after: int) -> dict[str, Any]:
    """Return the last ``lines`` that a slave has logged, those behind one, the number of the last of them as
    ``after``, and how many there are to be had as ``total``; nothing of what tasks print."""
    raise NotImplementedError


@TO_SLAVE.cast()
def give_back(count: int) -> None:
    """Hand back up to so many tasks that have not started."""


@TO_SLAVE.cast(feature=DRAINS)
def drained(by: str) -> None:
    """Take nothing more while this session lasts, for ``by`` wants that; nobody: take tasks again."""


@TO_SLAVE.hint(feature=USES)
def uses(owner: int, modules: list[list[str]], lacking: str = "warn") -> None:
    """Tell which installed modules the code of an owner names, see ``to_master.uses``; ``fits`` answers it.

    If ``lacking`` is ``avoid``, a slave that lacks one of them keeps the tasks until it hears ``spared``.
    """


@TO_SLAVE.cast(feature=USES)
def spared(owner: int, by: str) -> None:
    """Hand back tasks of an owner, for the slave ``by`` has what this one lacks; nobody: run them."""


@TO_SLAVE.cast()
def forget(owner: int) -> None:
    """Drop the code of an owner that has left."""


@TO_SLAVE.cast(feature=DURABLE)
def stored(count: int) -> None:
    """Keep what the first so many ``done`` of this session brought, whatever happens to the master."""
