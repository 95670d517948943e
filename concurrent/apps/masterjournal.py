"""Which journal a master has, where it is, and what is said of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from concurrent.core.environment import Environment
from concurrent.scheduling.master.openjournal import OpenJournal
from concurrent.scheduling.store.journal.place import JournalPlace
from concurrent.scheduling.store.journal.settings import JournalSettings
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["NO_DURABILITY", "journal_folder", "kept_folder", "open_journal", "what_is_kept"]

NO_DURABILITY = "none"
"""The level of a master that keeps nothing on disk."""

FOLDER = "journal"


def journal_folder(env: Environment, port: int, variables: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder of the journal of a master; None if there is no place that it would find again.

    :param port: that the master is configured to listen on.
    :param variables: environment variables.
    """
    configured = env[JournalSettings].folder
    if configured is not None:
        return configured
    if env.folder is not None:
        return env.folder / "data" / FOLDER
    if not port:
        return None
    try:
        state = variables.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:  # this user has no home
        return None
    return Path(state) / "concurrent" / f"master-{port}" / FOLDER


def kept_folder(env: Environment, port: int) -> Path | None:
    """Return the folder of the journal that a master will open; None if it will keep nothing.

    :param port: that the master is configured to listen on.
    """
    keeps_nothing = env[JournalSettings].durability == NO_DURABILITY
    return None if keeps_nothing else journal_folder(env, port)


def open_journal(env: Environment, loop: NodeLoop, port: int) -> OpenJournal | None:
    """Open the journal of a master; None if it keeps nothing. Loop thread only.

    :param port: that the master is configured to listen on.
    :raises JournalError: if the journal cannot be opened.
    """
    settings = env[JournalSettings]
    folder = kept_folder(env, port)
    if folder is None:
        return None
    place = JournalPlace(
        folder, loop.post, settings.durability, settings.bytes_max, allow_network=settings.allow_network
    )
    return OpenJournal(settings.store, place)


def what_is_kept(env: Environment, journal: OpenJournal | None) -> str:
    """Return a line for people on what a master keeps, and why nothing if it does not.

    :param journal: what :func:`open_journal` returned.
    """
    if journal is None:
        lost = "what is accepted is lost when this master ends"
        if env[JournalSettings].durability == NO_DURABILITY:
            return f"journal.durability = none: {lost}"
        return (
            f"no journal, so {lost}: it has any free port or no home, and no environment, and would not find a "
            "journal again; set journal.folder for one"
        )
    start, place = journal.start, journal.place
    how = "" if start.last_epoch_clean else "; the master before did not end in good order"
    return f"journal {place.folder}, level {place.durability}, start number {start.epoch}{how}"
