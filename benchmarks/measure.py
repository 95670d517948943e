"""Figures, what was measured of them, and what that says: medians, ratios, targets met or missed."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Figure", "Recorder", "Row", "Target", "percentile"]


@dataclass(frozen=True)
class Target:
    """What is to be reached: at least, or at most where less is better.

    :param value: in the unit of the figure.
    :param ratio: of our value to that of the reference in the same run; None if it does not matter.
    :param system: which of our ways to run tasks it is about.
    """

    value: float
    ratio: float | None = None
    system: str = "submit"


@dataclass(frozen=True)
class Figure:
    """Something that is measured.

    :param key: ``case.figure``, for machines.
    :param title: for people.
    :param reference: the system that ours is compared with.
    :param is_less_better: whether small values are good ones.
    """

    key: str
    title: str
    unit: str
    reference: str
    is_less_better: bool = False
    target: Target | None = None


@dataclass(frozen=True)
class Row:
    """One figure of one system over all repetitions; the fields are those of the JSON file.

    :param values: one for each repetition.
    :param reference: the system it is compared with; the fields that begin so are None for others.
    :param ratio: the median of ``value / value of the reference`` over the repetitions.
    :param is_met: whether the target is reached, None if there is none.
    :param task_count: of each repetition, where peers that are slow get fewer tasks.
    """

    figure: str
    title: str
    unit: str
    system: str
    is_ours: bool
    is_less_better: bool
    values: list[float]
    median: float
    minimum: float
    maximum: float
    reference: str | None = None
    reference_median: float | None = None
    ratio: float | None = None
    target: float | None = None
    target_ratio: float | None = None
    is_met: bool | None = None
    task_count: int | None = None


class Recorder:
    """Collects what a case measures.

    :param our_systems: the names of our own ways to run tasks; all others are compared with.
    """

    def __init__(self, our_systems: Iterable[str]) -> None:
        self._our_systems = frozenset(our_systems)
        self._figure_by_key: dict[str, Figure] = {}
        self._values_by_key: dict[tuple[str, str], list[float]] = {}
        self._task_count_by_key: dict[tuple[str, str], int | None] = {}

    def add(self, figure: Figure, system: str, value: float, *, task_count: int | None = None) -> None:
        """Take what one repetition measured."""
        self._figure_by_key[figure.key] = figure
        self._task_count_by_key[figure.key, system] = task_count
        self._values_by_key.setdefault((figure.key, system), []).append(value)

    def rows(self) -> list[Row]:
        """Return a row for each figure and system, ours first."""
        return [
            self._row(figure, system, values)
            for figure in self._figure_by_key.values()
            for is_ours in (True, False)
            for (key, system), values in self._values_by_key.items()
            if key == figure.key and (system in self._our_systems) is is_ours
        ]

    def _row(self, figure: Figure, system: str, values: list[float]) -> Row:
        is_ours = system in self._our_systems
        median = statistics.median(values)
        details: dict[str, Any] = {}
        base = self._values_by_key.get((figure.key, figure.reference))
        if is_ours and base is not None:
            details["reference"] = figure.reference
            details["reference_median"] = statistics.median(base)
            details["ratio"] = _ratio(values, base)
        target = figure.target
        if target is not None and target.system == system:
            details["target"], details["target_ratio"] = target.value, target.ratio
            details["is_met"] = _is_met(figure, target, median, details.get("ratio"))
        return Row(
            figure=figure.key,
            title=figure.title,
            unit=figure.unit,
            system=system,
            is_ours=is_ours,
            is_less_better=figure.is_less_better,
            values=values,
            median=median,
            minimum=min(values),
            maximum=max(values),
            task_count=self._task_count_by_key[figure.key, system],
            **details,
        )


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value below which ``part`` (0 to 1) of the values are; the nearest one there is."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def _ratio(ours: list[float], base: list[float]) -> float | None:
    """Return the median of the ratios of each repetition, which a drift of the machine does not move."""
    pairs = zip(ours, base, strict=False)
    ratios = [value / other for value, other in pairs if other]
    return statistics.median(ratios) if ratios else None


def _is_met(figure: Figure, target: Target, median: float, ratio: float | None) -> bool:
    sign = -1 if figure.is_less_better else 1
    is_value_met = sign * median >= sign * target.value
    if target.ratio is None or ratio is None:
        return is_value_met
    return is_value_met and sign * ratio >= sign * target.ratio
