"""What the commands on keys share: which cluster is meant, times that people write, and tables."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from concurrent.apps.access import KeySettings
from concurrent.apps.columns import duration
from concurrent.apps.commands.common import make_environment
from concurrent.core.errors import ConfigurationError
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.membership import Invitation, Member

__all__ = ["described_members", "duration_s", "facts_of", "key_folder", "keys_place", "table"]

SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
DURATION: Final = re.compile(r"(\d{1,6})([smhdw])")
DURATION_MAX_S: Final = 3650 * 86400.0


def duration_s(text: str) -> float:
    """Return the seconds of a time such as ``90s``, ``10m``, ``1h``, ``30d`` or ``2w``, for argparse."""
    found = DURATION.fullmatch(text.strip().lower())
    seconds = int(found[1]) * SECONDS[found[2]] if found else 0.0
    if not 0.0 < seconds <= DURATION_MAX_S:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time: write 90s, 10m, 1h, 30d or 2w, up to ten years"
        )
    return seconds


def keys_place(args: argparse.Namespace) -> tuple[Path, str]:
    """Return the folder with all key folders, and the name of the cluster that is meant; empty if it has none.

    :raises ConfigurationError: if the configuration is wrong.
    """
    settings = make_environment(args)[KeySettings]
    return settings.base(), getattr(args, "cluster", None) or settings.cluster


def key_folder(args: argparse.Namespace, *, is_authority: bool = True) -> KeyFolder:
    """Return the key folder that is meant: that of ``--cluster`` or ``keys.cluster``, or the only one there is.

    :param is_authority: whether it has to be on the machine of a master.
    :raises ConfigurationError: if there is none, or there are several.
    """
    base, cluster = keys_place(args)
    if cluster:
        found = KeyFolder.open(base, cluster)
        if is_authority:
            found.check_authority()
        return found
    every = KeyFolder.all(base)
    fitting = [one for one in every if one.is_authority] if is_authority else every
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(one.cluster for one in fitting)
        raise ConfigurationError(
            f"there are keys of several clusters: {names}", thing="--cluster", remedy="Say which with --cluster"
        )
    if every:
        every[0].check_authority()
    raise ConfigurationError(
        f"there are no keys in {base}",
        thing="keys",
        value=str(base),
        remedy="Make them with 'concurrent keys init', or join a cluster with 'concurrent join LINE'",
    )


def table(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as text, each column as wide as it has to be."""
    lines = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def described_members(members: Iterable[Member], invitations: Iterable[Invitation], now: float) -> str:
    """Return a table of who has a key, a token or an invitation."""
    rows = [("NAME", "ROLE", "KIND", "SINCE", "FROM", "STATE")]
    for one in members:
        kind = "token" if one.is_token else "ephemeral" if one.is_ephemeral else "key"
        name = f"{one.name} ({one.serial})" if one.is_token else one.name
        rows.append((name, str(one.role), kind, _ago(now - one.made_at), one.address or "-", _state(one, now)))
    for asked in invitations:
        uses = f"{asked.uses} uses, " if asked.uses > 1 else ""
        state = f"open, {uses}{duration(asked.ends_at - now)} left"
        kind = "ephemeral invitation" if asked.is_ephemeral else "invitation"
        rows.append((asked.name or asked.id, str(asked.role), kind, _ago(now - asked.made_at), "-", state))
    return table(rows)


def facts_of(keys: KeyFolder, fingerprint: str) -> dict[str, Any]:
    """Return what there is to know of a key folder, as plain values."""
    return {
        "cluster": keys.cluster,
        "fingerprint": fingerprint,
        "folder": str(keys.folder),
        "roles": [str(one) for one in keys.roles],
        "is_authority": keys.is_authority,
        "masters": [str(one) for one in keys.masters],
    }


def _state(member: Member, now: float) -> str:
    if member.revoked_at:
        return f"{member.why} {_ago(now - member.revoked_at)}"
    if member.expires_at <= now:
        return f"expired {_ago(now - member.expires_at)}"
    return f"{duration(member.ends_at - now)} left" if member.is_token else "trusted"


def _ago(seconds: float) -> str:
    return f"{duration(seconds)} ago" if seconds >= 120.0 else "just now"
