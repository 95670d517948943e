"""What a slave offers to tasks besides places: memory, GPUs, and what its configuration says. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from concurrent.core.errors import ConfigurationError, SchedulingError
from concurrent.core.items import ConfigItem, RefusedText, split_list
from concurrent.scheduling.slave.gpus import Gpus, numbered
from concurrent.scheduling.tasks.claim import (
    CPU,
    GPU,
    MEMORY,
    RESOURCES_MAX,
    UNIT,
    amount_of,
    is_resource,
    shown_amount,
)

__all__ = ["NOTHING", "Offer", "ResourcesItem", "doubt_of", "offer_of"]

MOST_GPUS: Final = 256
"""So many devices are told apart at a slave."""

_ENTRY: Final = re.compile(r"([^=\s]+)\s*=\s*(\S.*)")


class Offer(NamedTuple):
    """See the module.

    :param units: bytes of memory and thousandths of everything else, by name; without places.
    :param gpus: the devices that ``gpu`` counts.
    """

    units: Mapping[str, int] = MappingProxyType({})
    gpus: Gpus = Gpus()

    def as_map(self) -> dict[str, int]:
        """Return it as a slave says it: memory in bytes, everything else in numbers."""
        return {name: units if name == MEMORY else units // UNIT for name, units in self.units.items()}

    def __str__(self) -> str:
        return ", ".join(f"{name}={shown_amount(name, units)}" for name, units in self.units.items())


NOTHING: Final = Offer()
"""Nothing but places."""


def offer_of(said: Mapping[str, int], gpus: Gpus | None, memory_bytes: int) -> Offer:
    """Return what a slave offers.

    :param said: what its configuration says, as :class:`ResourcesItem` reads it; it counts in any case.
    :param gpus: the GPUs that it may use; None if nobody says.
    :param memory_bytes: how much memory it may use; 0 if that is unknown.
    :raises ConfigurationError: if the configuration says more GPUs than there are.
    """
    found = Gpus() if gpus is None else gpus
    count = said.get(GPU, len(found.ids) * UNIT) // UNIT
    if gpus is None:
        found = numbered(count)
    if count > len(found.ids):
        raise ConfigurationError(
            f"[slave] resources says gpu={count}, but there are {len(found.ids)}: "
            f"{', '.join(found.ids) or 'none'} (see {', '.join(found.variables)})",
            thing="slave.resources",
            value=count,
            remedy="Name fewer, or unset the variable that names too few; gpu=0.5 of a task shares one",
        )
    units = {MEMORY: memory_bytes, **said, GPU: count * UNIT}
    return Offer(
        MappingProxyType({name: units[name] for name in sorted(units) if units[name]}),
        Gpus(found.ids[:count], found.variables),
    )


def doubt_of(said: Mapping[str, int], memory_bytes: int) -> str:
    """Return what a user should know of an offer that counts all the same; empty if there is nothing.

    :param said: what the configuration says.
    :param memory_bytes: how much memory there is; 0 if that is unknown.
    """
    asked = said.get(MEMORY, 0)
    if not 0 < memory_bytes < asked:
        return ""
    return (
        f"[slave] resources says memory={shown_amount(MEMORY, asked)}, but there is "
        f"{shown_amount(MEMORY, memory_bytes)} only: tasks may be given more than that"
    )


class ResourcesItem(ConfigItem[Mapping[str, int]]):
    """Names of resources and how much of each one there is: ``gpu=2, licence=1, memory=16GiB``."""

    @property
    def allowed(self) -> str:
        """What may be written."""
        return (
            "name=amount, separated by commas: whole numbers, memory as 16GiB, or nothing; "
            "places of tasks are said by slave.workers"
        )

    def parse(self, text: str, folder: Path) -> Mapping[str, int]:
        """Return the units by name."""
        units: dict[str, int] = {}
        for entry in split_list(text):
            match = _ENTRY.fullmatch(entry)
            if match is None or not is_resource(match[1]):
                raise RefusedText(f"{entry!r} is no name and amount")
            name, amount = match.groups()
            if name == CPU:
                raise RefusedText("cpu is how many places there are")
            if name in units:
                raise RefusedText(f"{name} is there twice")
            units[name] = _units(name, amount)
        if len(units) > RESOURCES_MAX:
            raise RefusedText(f"it has more than {RESOURCES_MAX} names")
        if units.get(GPU, 0) > MOST_GPUS * UNIT:
            raise RefusedText(f"no more than {MOST_GPUS} devices are told apart")
        return MappingProxyType(units)

    def format(self, value: Mapping[str, int]) -> str:
        """Return the text that stands for the amounts."""
        shown = {name: units if name == MEMORY else units // UNIT for name, units in value.items()}
        return ", ".join(f"{name}={amount}" for name, amount in shown.items())


def _units(name: str, text: str) -> int:
    if text.strip("0") == "":
        return 0
    try:
        return amount_of(name, int(text) if text.isdecimal() else text)
    except SchedulingError as error:
        raise RefusedText(error.message if name == MEMORY else f"{name}={text} is no whole number") from error
