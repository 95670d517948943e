"""What clusters and their members are called. A pure module."""

from __future__ import annotations

import re
from typing import Final

from concurrent.core.errors import ConfigurationError
from concurrent.transport.security.roles import Role

__all__ = [
    "CLUSTER",
    "CLUSTER_LENGTH_MAX",
    "check_cluster_name",
    "check_member_name",
    "cluster_name",
    "dns_name",
    "member_name",
]

CLUSTER_LENGTH_MAX: Final = 40
MEMBER_LENGTH_MAX: Final = 64
PREFIX_LENGTH_MAX: Final = 30

CLUSTER: Final = re.compile(rf"(?!-)[a-z0-9-]{{1,{CLUSTER_LENGTH_MAX}}}(?<!-)")
"""A part of a DNS name, and a folder."""

MEMBER: Final = re.compile(rf"(?![-.])[a-z0-9._-]{{1,{MEMBER_LENGTH_MAX}}}(?<![-.])")


def check_cluster_name(name: str) -> str:
    """Return the name of a cluster.

    :raises ConfigurationError: if it cannot be one.
    """
    if not CLUSTER.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be the name of a cluster",
            thing="cluster",
            value=name,
            remedy=f"Use up to {CLUSTER_LENGTH_MAX} characters of a-z, 0-9 and -, with no - at either end",
        )
    return name


def check_member_name(name: str) -> str:
    """Return the name of a member.

    :raises ConfigurationError: if it cannot be one.
    """
    if not MEMBER.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be the name of a member",
            thing="name",
            value=name,
            remedy=f"Use up to {MEMBER_LENGTH_MAX} characters of a-z, 0-9, -, _ and .; begin with a-z or 0-9",
        )
    return name


def cluster_name(hostname: str, ending: str) -> str:
    """Return the name of a new cluster, ``HOSTNAME-ENDING``, where nobody has given one.

    :param hostname: the name of the machine; whatever names of clusters do not have is replaced.
    :param ending: a few characters of chance.
    """
    first = re.sub(r"[^a-z0-9]+", "-", hostname.partition(".")[0].lower())[:PREFIX_LENGTH_MAX].strip("-")
    return f"{first or 'cluster'}-{ending}"


def member_name(hostname: str) -> str:
    """Return what a machine of that name is called where nobody says otherwise."""
    name = re.sub(r"[^a-z0-9._-]+", "-", hostname.lower())[:MEMBER_LENGTH_MAX].strip("-._")
    return name or "member"


def dns_name(cluster: str, role: Role) -> str:
    """Return the DNS name in the certificate of a member of that role."""
    return f"{'master' if role is Role.MASTER else 'node'}.{cluster}"
