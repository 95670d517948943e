"""Whose task systems a master hosts: their code runs as its user, who can read the keys of the cluster."""

from __future__ import annotations

from concurrent.core.component import Component
from concurrent.core.errors import NotAllowed
from concurrent.core.items import BoolItem
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role

__all__ = ["HostingSettings"]


class HostingSettings(Component):
    """An option of section ``[master]``, and what follows from it."""

    submit_systems = BoolItem(
        "master", "submit_systems", False,
        "Host task systems of members with the role submit too. Their code runs on this machine as the user of "
        "the master, who can read the keys of the cluster: allow it for those only whom you would let log in.",
    )  # fmt: skip

    def check(self, identity: Identity) -> None:
        """Raise NotAllowed unless the master hosts task systems of this identity."""
        if identity.role is not Role.SUBMIT or self.submit_systems:
            return
        raise NotAllowed(
            f"the master hosts no task systems of {identity}: their code would run as its user, who has the "
            "keys of the cluster",
            thing="master.submit_systems",
            value=str(identity),
            remedy="Push tasks instead; or have whoever runs the master trust you: an invitation for admin, or "
            "'concurrent master -o master.submit_systems=true'",
        )
