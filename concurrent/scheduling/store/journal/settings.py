"""What chooses the journal of a master, and how sure it has to be."""

from __future__ import annotations

from typing import Final

from concurrent.core.component import Component
from concurrent.core.extensionitems import ExtensionPointItem
from concurrent.core.items import BoolItem, ChoiceItem, IntItem, PathItem
from concurrent.scheduling.interfaces import IJournal
from concurrent.scheduling.store.journal.place import BYTES_MAX, LEVELS

__all__ = ["JournalSettings"]

STORES: Final = {"sqlite": "SQLiteJournal"}
"""What the short names stand for."""


class JournalSettings(Component):
    """The options of section ``[journal]``."""

    store = ExtensionPointItem(
        "journal",
        "store",
        IJournal,
        "sqlite",
        "What keeps the work that a master has accepted: sqlite, or a plug-in's class.",
        short_names=STORES,
    )
    durability = ChoiceItem(
        "journal",
        "durability",
        "host",
        "What accepted work survives: the end of the host (a power cut), that of the process alone, or none, "
        "where nothing is kept on disk.",
        choices=(*LEVELS, "none"),
    )
    folder = PathItem(
        "journal",
        "folder",
        "",
        "Where the journal is; nothing for journal/ in the data folder of the environment, or in "
        "~/.local/state/concurrent/master-PORT without one. One master at a time may use it.",
    )
    bytes_max = IntItem(
        "journal",
        "bytes_max",
        BYTES_MAX,
        "How large the journal may become before new work is refused until there is room again.",
        minimum=1 << 20,
        unit="bytes",
    )
    allow_network = BoolItem(
        "journal",
        "allow_network",
        False,
        "Whether the journal may lie on a network file system, where locks and syncs cannot be relied on.",
    )
