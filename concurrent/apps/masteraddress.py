"""Where the master is that is meant, and who says so: one rule for commands, programs, applications and slaves.

From strong to weak: what was typed or handed in, the environment variable ``CONCURRENT_MASTER``, the option
of the configuration, the cluster that this user has joined, this machine. Each may be written as
``HOST:PORT``, as ``joined``, or as ``@FILE``: a file with the address, which a master keeps that was started
with ``--address-file``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from concurrent.apps.addressfile import read_address_file
from concurrent.apps.api import PORT_DEFAULT, parse_address
from concurrent.core.config import Configuration
from concurrent.core.configgiven import MASTER_VARIABLE
from concurrent.core.items import ConfigItem, Host, RefusedText

if TYPE_CHECKING:
    from concurrent.apps.access import Access

__all__ = [
    "FILE_MARK",
    "JOINED",
    "MasterAddress",
    "MasterItem",
    "address_file_of",
    "find_master",
    "read_master",
    "source_of",
]

JOINED: Final = "joined"
"""Stands for the address of the master of the cluster that this user has joined."""

FILE_MARK: Final = "@"
"""Stands before the name of a file that has the address."""

HOW_TO_WRITE: Final = "HOST:PORT, 'joined', or @FILE with a file that has the address"


class MasterAddress(NamedTuple):
    """Where a master is.

    :param host: the address of its JSON API.
    :param source: who says so, as words that follow *from*.
    """

    host: Host
    source: str


class MasterItem(ConfigItem[str]):
    """An option that says where a master is, as text; empty where that is left to the rule."""

    @property
    def allowed(self) -> str:
        """The ways to write it."""
        return f"nothing, or {HOW_TO_WRITE}"

    def parse(self, text: str, folder: Path) -> str:
        """Return the text; the file that it may name is read when the address is needed."""
        if text and text != JOINED and not text.startswith(FILE_MARK):
            try:
                Host.parse(text, PORT_DEFAULT)
            except ValueError:
                raise RefusedText("it is not an address") from None
        return text


def source_of(config: Configuration, section: str) -> str:
    """Return who has set option ``master`` of a section, for people."""
    origin = config.origin(section, "master")
    return origin if MASTER_VARIABLE in origin else f"{section}.master ({origin})"


def find_master(given: str, source: str, access: Access) -> MasterAddress:
    """Return where a master is that runs already, or will.

    :param given: what was said of it; empty if nothing was.
    :param source: where that was said, for people: an option, a file, a variable.
    :param access: knows which cluster this user has joined.
    :raises ConfigurationError: if that is no address, or not clear.
    """
    if given:
        return read_master(given, source, access)
    if access.has_joined:
        return MasterAddress(access.default_master(), "the cluster that was joined")
    return MasterAddress(
        access.default_master(),
        "the default, for nothing names another and no cluster was joined (by concurrent join LINE)",
    )


def read_master(text: str, source: str, access: Access) -> MasterAddress:
    """Return the address that a text means.

    :raises ConfigurationError: if it means none.
    """
    if text == JOINED:
        return MasterAddress(access.joined_master(), f"the cluster that was joined, as {source} says")
    if isinstance(text, str) and (file := address_file_of(text)) is not None:
        return MasterAddress(read_address_file(file, source), f"the file {file}, as {source} says")
    return MasterAddress(parse_address(text, source, f"Write {HOW_TO_WRITE}"), source)


def address_file_of(text: str) -> Path | None:
    """Return the file in which the address is that a text means; None if it means another place."""
    return Path(text[len(FILE_MARK) :]).expanduser() if text.startswith(FILE_MARK) else None
