"""Who made a job, and who may see it, go on with it and end it. Pure.

A job belongs to the identity that made it, whichever certificate that has by then. Those who may everything
share theirs; a job that was made where nobody is known is everybody's.
"""

from __future__ import annotations

from typing import Final

from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.transport.security.identity import ANYBODY, Identity
from concurrent.transport.security.roles import DEFAULT_ROLES, SUBMITTERS

__all__ = ["UNKNOWN", "is_own", "made_by", "may_read", "may_touch"]

UNKNOWN: Final = "?"
"""Who made what nobody can say of: only those may read it who may everything."""


def made_by(identity: Identity) -> str:
    """Return what a job keeps of who made it: the key of the identity; nothing if it is everybody's."""
    return "" if identity == ANYBODY else identity.key


def is_own(spec: JobSpec, identity: Identity) -> bool:
    """Tell whether a job is somebody's own, so that its name means it."""
    return _is_maker(spec.made_by, identity)


def may_touch(spec: JobSpec, identity: Identity) -> bool:
    """Tell whether somebody may see the data of a job, attach to it and end it."""
    return identity.role in DEFAULT_ROLES or _is_maker(spec.made_by, identity)


def may_read(maker: str, identity: Identity) -> bool:
    """Tell whether somebody may read what tasks print and raise; not who may only look, whoever made them.

    :param maker: who made their job, as :func:`made_by` returns it; there may be nothing else left of that.
    """
    if identity.role in DEFAULT_ROLES:
        return True
    return identity.role in SUBMITTERS and _is_maker(maker, identity)


def _is_maker(maker: str, identity: Identity) -> bool:
    if not maker or maker == identity.key:
        return True
    role = maker.partition(":")[0]
    return identity.role in DEFAULT_ROLES and role in DEFAULT_ROLES
