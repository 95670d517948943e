"""Whose the ids of nodes are that a master knows no more. Loop thread only.

A page or a log may show the id of a node to others. While the node has no session, such as on its way back,
nobody else may register in its name and so keep it out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Final

from concurrent.transport.security.identity import Identity

__all__ = ["FormerIds"]

IDS_MAX: Final = 1000
"""How many ids of one identity are remembered; those of others are not forgotten for them."""

IDENTITIES_MAX: Final = 1000

REMEMBERED_S: Final = 86400.0
"""For how long; after that a node of a fixed id may have moved to another machine."""


class FormerIds:
    """See the module.

    :param now: returns the time in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._ids_by_owner: OrderedDict[str, OrderedDict[str, float]] = OrderedDict()
        self._owner_by_id: dict[str, Identity] = {}

    def __len__(self) -> int:
        return len(self._owner_by_id)

    def owner(self, node_id: str) -> Identity | None:
        """Return whose an id is; None if it is free."""
        owner = self._owner_by_id.get(node_id)
        if owner is not None and self._ids_by_owner[owner.key][node_id] < self._now() - REMEMBERED_S:
            self.forget(node_id)
            return None
        return owner

    def keep(self, node_id: str, owner: Identity) -> None:
        """Remember whose an id is from now on; of too many the oldest of the same owner is forgotten."""
        self.forget(node_id)
        self._owner_by_id[node_id] = owner
        ids = self._ids_by_owner.setdefault(owner.key, OrderedDict())
        ids[node_id] = self._now()
        self._ids_by_owner.move_to_end(owner.key)
        if len(ids) > IDS_MAX:
            self.forget(next(iter(ids)))
        if len(self._ids_by_owner) > IDENTITIES_MAX:
            self.release([next(iter(self._ids_by_owner))])

    def forget(self, node_id: str) -> None:
        """Let an id be anybody's; nothing happens if it is."""
        owner = self._owner_by_id.pop(node_id, None)
        if owner is not None:
            ids = self._ids_by_owner[owner.key]
            del ids[node_id]
            if not ids:
                del self._ids_by_owner[owner.key]

    def release(self, owners: Collection[str]) -> None:
        """Let the ids of identities be anybody's, by their keys; such as of those that are trusted no more."""
        for key in owners:
            for node_id in self._ids_by_owner.pop(key, ()):
                del self._owner_by_id[node_id]
