"""Who made a job, and who may see it, go on with it and end it. Pure.

A job belongs to the identity that made it, whichever certificate that has by then. Those who may everything
share theirs; a job that was made where nobody is known is everybody's.
"""

from __future__ import annotations

from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.transport.security.identity import ANYBODY, Identity
from concurrent.transport.security.roles import DEFAULT_ROLES

__all__ = ["is_own", "made_by", "may_touch"]


def made_by(identity: Identity) -> str:
    """Return what a job keeps of who made it: the key of the identity; nothing if it is everybody's."""
    return "" if identity == ANYBODY else identity.key


def is_own(spec: JobSpec, identity: Identity) -> bool:
    """Tell whether a job is somebody's own, so that its name means it."""
    if not spec.made_by or spec.made_by == identity.key:
        return True
    role = spec.made_by.partition(":")[0]
    return identity.role in DEFAULT_ROLES and role in DEFAULT_ROLES


def may_touch(spec: JobSpec, identity: Identity) -> bool:
    """Tell whether somebody may see the data of a job, attach to it and end it."""
    return identity.role in DEFAULT_ROLES or is_own(spec, identity)
