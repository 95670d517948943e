"""What a slave offers to tasks besides places: memory, GPUs, and what its configuration says. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from concurrent.core.errors import ConfigurationError, SchedulingError
from concurrent.core.items import ConfigItem, split_list
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

__all__ = ["NOTHING", "Offer", "ResourcesItem", "offer_of"]

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


class ResourcesItem(ConfigItem[Mapping[str, int]]):
    """Names of resources and how much of each one there is: ``gpu=2, licence=1, memory=16GiB``."""

    @property
    def allowed(self) -> str:
        """What may be written."""
        return (
            "name=amount, separated by commas: whole numbers, memory in bytes or as 16GiB, or nothing; "
            "places of tasks are said by slave.workers"
        )

    def parse(self, text: str, folder: Path) -> Mapping[str, int]:
        """Return the units by name."""
        units: dict[str, int] = {}
        for entry in split_list(text):
            match = _ENTRY.fullmatch(entry)
            if match is None or not is_resource(match[1]) or match[1] in units or match[1] == CPU:
                raise ValueError(entry)
            units[match[1]] = _units(match[1], match[2])
        if len(units) > RESOURCES_MAX or units.get(GPU, 0) > MOST_GPUS * UNIT:
            raise ValueError(text)
        return MappingProxyType(units)

    def format(self, value: Mapping[str, int]) -> str:
        """Return the text that stands for the amounts."""
        shown = {name: units if name == MEMORY else units // UNIT for name, units in value.items()}
        return ", ".join(f"{name}={amount}" for name, amount in shown.items())


def _units(name: str, text: str) -> int:
    if text.strip("0") == "":
        return 0
    value = int(text) if text.isdecimal() else text
    try:
        units = amount_of(name, value)
    except SchedulingError as error:
        raise ValueError(text) from error
    return units
