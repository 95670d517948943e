"""What a job is, as it was asked for: plain values, which a journal keeps and a person reads. A pure module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

__all__ = ["JobSpec", "jobspec_from"]


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What was asked for when a job began; it does not change.

    :param job_id: random text that no other job has.
    :param name: what its user calls it; empty if it has no name.
    :param kind: what pushes its tasks: ``application``, ``executor`` or ``system``.
    :param user: who began it.
    :param program: how the program that pushes its tasks is found again; plain values.
    :param keep_s: how long it is kept after it has ended; with 0 it ends with its session.
    :param keeps_results: whether outcomes are kept after they were consumed.
    :param fingerprint: the versions that its code was made with, by name.
    :param created_at: when it began, in seconds since the epoch.
    :param made_by: the key of the identity that made it, which it belongs to; empty if it is everybody's.
    """

    job_id: str = ""
    name: str = ""
    kind: str = "application"
    user: str = ""
    program: Mapping[str, Any] = field(default_factory=dict)
    keep_s: float = 0.0
    keeps_results: bool = False
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    created_at: float = 0.0
    made_by: str = ""

    def as_map(self) -> dict[str, Any]:
        """Return its values by name, as they are stored."""
        return asdict(self)


def jobspec_from(values: Mapping[str, Any]) -> JobSpec:
    """Return what was stored; names of a newer framework are left out."""
    return JobSpec(**{one.name: values[one.name] for one in fields(JobSpec) if one.name in values})
