"""What programs say that they use, and slaves that they lack of it. Loop thread only.

Slaves may be of any version, so what they say is cut to what people read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from concurrent.apps.api import NodeType, printable
from concurrent.core.errors import InvalidArguments
from concurrent.scheduling.master.fitdesk import USES_MAX, FitDesk
from concurrent.scheduling.wire.messages import to_master
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives

__all__ = ["register_fits"]

NAME_CHARS_MAX: Final = 100
WORDS_CHARS_MAX: Final = 1000
MISSING_MAX: Final = 20
"""So many modules of those that a slave lacks are told."""


def register_fits(server: HasMethods, desk: FitDesk, number_of: Callable[[TCPHandler, NodeType], int]) -> None:
    """Register it with the server of the compute channel.

    :param desk: keeps what is said.
    :param number_of: returns the number of the registration that a session belongs to, or raises NodeError.
    """

    _register_preparing(server, desk, number_of)

    @receives(server, to_master.uses)
    def uses(handler: TCPHandler, _request: Any, modules: list[list[str]]) -> None:
        """Tell which installed modules the code names."""
        owner = number_of(handler, NodeType.application)
        rows = _rows("modules", modules[:USES_MAX])
        if any("." in name for name, _, _ in rows):
            raise InvalidArguments("modules are told by their names without a dot", thing="modules")
        desk.uses(owner, rows)

    @receives(server, to_master.fits)
    def fits(
        handler: TCPHandler, _request: Any, owner: int, missing: list[str], others: list[list[str]]
    ) -> None:
        """Tell which of these modules are missing, and which are of another version."""
        slave = number_of(handler, NodeType.slave)
        told = _rows("others", others[:MISSING_MAX])
        desk.fits(slave, owner, [_shown(name) for name in missing[:MISSING_MAX]], told)


def _register_preparing(
    server: HasMethods, desk: FitDesk, number_of: Callable[[TCPHandler, NodeType], int]
) -> None:
    @receives(server, to_master.preparing)
    def preparing(handler: TCPHandler, _request: Any, owner: int, state: str, words: str) -> None:
        """Tell how it is with the project or the environment of an owner."""
        slave = number_of(handler, NodeType.slave)
        desk.preparing(slave, owner, printable(words[:WORDS_CHARS_MAX]), has_failed=state == "failed")


def _shown(text: str) -> str:
    return printable(text[:NAME_CHARS_MAX])


def _rows(name: str, rows: list[list[str]]) -> list[tuple[str, str, str]]:
    """Return rows of three texts as they are shown."""
    if any(len(row) != 3 or set(map(type, row)) != {str} for row in rows):
        raise InvalidArguments(f"{name} must be rows of three texts", thing=name)
    return [(_shown(first), _shown(second), _shown(third)) for first, second, third in rows]
