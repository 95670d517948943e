"""What a task takes while it runs: processors, memory, devices, licences. A pure module.

Amounts are kept as whole numbers, so that nothing is lost in sums: bytes of memory, and thousandths of
everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from concurrent.core.errors import SchedulingError

__all__ = [
    "AMOUNT_MAX",
    "CPU",
    "GPU",
    "MEMORY",
    "NO_CLAIM",
    "RESOURCES_MAX",
    "UNIT",
    "Claim",
    "amount_of",
    "is_resource",
    "shown_amount",
]

CPU: Final = "cpu"
GPU: Final = "gpu"
MEMORY: Final = "memory"

UNIT: Final = 1000
"""One of anything but memory."""

RESOURCES_MAX: Final = 16
"""So many names may be in one claim, and in what a slave offers."""
NAME_CHARS_MAX: Final = 64
AMOUNT_MAX: Final = 1 << 50
"""So many units of anything are the most."""
MEMORY_MIN: Final = 1 << 20
"""Less memory than this nobody means, in bytes: a unit was left out."""

_BYTES_BY_SUFFIX: Final = {
    "B": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("kMGTP", 1)},
    **{f"{letter}iB": 1024**power for power, letter in enumerate("KMGTP", 1)},
}


class Claim(tuple[tuple[str, int], ...]):
    """Names of resources and how much of each one a task takes, in the order of the names.

    A task takes one ``cpu`` besides, if it does not say how many. Make one with :meth:`of`.
    """

    __slots__ = ()

    @classmethod
    def of(cls, resources: Mapping[str, Any] | Claim | None) -> Claim:
        """Return what a user wrote as ``{"gpu": 1, "memory": "4GiB"}``.

        :raises SchedulingError: if a name or an amount is not possible.
        """
        if type(resources) is dict:
            try:
                return _claim_of(*resources, *resources.values())
            except TypeError:  # an amount that cannot be looked up; what follows says which
                pass
        elif isinstance(resources, Claim):
            return resources
        elif resources is None:
            return NO_CLAIM
        return cls._checked(resources)

    @classmethod
    def _checked(cls, resources: Any) -> Claim:
        if not isinstance(resources, Mapping) or len(resources) > RESOURCES_MAX:
            raise SchedulingError(
                f"resources must be a map of up to {RESOURCES_MAX} names to amounts, but is {resources!r:.100}",
                thing="resources",
                value=resources,
                remedy='Write resources={"gpu": 1, "memory": "4GiB"}',
            )
        return _once(
            cls(sorted((_checked_name(name), amount_of(name, value)) for name, value in resources.items()))
        )

    def as_map(self) -> dict[str, int | float]:
        """Return it as a user writes it, and as it travels: memory in bytes, everything else in numbers."""
        return {name: units if name == MEMORY else _number_of(units) for name, units in self}

    @property
    def cpu(self) -> int:
        """How many places, each for one process that computes, a task takes: whole numbers."""
        return self.units(CPU) // UNIT or 1

    @property
    def memory(self) -> int:
        """How many bytes of memory it may take; 0 if it does not say."""
        return self.units(MEMORY)

    def units(self, name: str) -> int:
        """Return how much of a resource it takes: bytes of memory, thousandths of others; 0 for none."""
        return next((units for known, units in self if known == name), 0)

    def names(self) -> Iterator[str]:
        """Yield the names of the resources that it names."""
        return (name for name, _ in self)

    def without(self, names: Any) -> Claim:
        """Return the same without some resources.

        :param names: a container of names.
        """
        left = Claim(one for one in self if one[0] not in names)
        return self if len(left) == len(self) else _once(left)

    def __str__(self) -> str:
        return ", ".join(f"{name}={shown_amount(name, units)}" for name, units in self) or "nothing"


NO_CLAIM: Final = Claim()
"""What most tasks ask for: nothing but a place to run."""


@lru_cache(maxsize=1000)
def _once(claim: Claim) -> Claim:
    """Return the same claim, the object that was made first."""
    return claim


@lru_cache(maxsize=1000, typed=True)
def _claim_of(*given: Any) -> Claim:
    """Return the claim of what a user wrote, names and then amounts: mostly it was seen before."""
    count = len(given) // 2
    return Claim._checked(dict(zip(given[:count], given[count:], strict=True)))


def is_resource(name: Any) -> bool:
    """Tell whether this may be the name of a resource: a lower-case word, with digits and ``_ - .`` in it."""
    return (
        type(name) is str
        and 0 < len(name) <= NAME_CHARS_MAX
        and name[0].isalpha()
        and name.isascii()
        and name == name.lower()
        and name.replace("_", "").replace("-", "").replace(".", "").isalnum()
    )


def amount_of(name: str, value: Any) -> int:
    """Return an amount in units: bytes of memory, thousandths of everything else.

    :param value: memory is a whole number of bytes, or a text such as ``4GiB`` or ``500MB``, from 1 MiB on.
        Processors are whole. Of others a task takes whole ones, or less than one, which it shares then.
    :raises SchedulingError: if it is not possible.
    """
    remedy = 'Write resources={"gpu": 1, "memory": "4GiB"}, and leave out what the task does not need'
    if name == MEMORY:
        units = _bytes_of(value)
        wanted = 'a number of bytes, or a text such as "500MB" or "4GiB"'
        if 0 < units < MEMORY_MIN:
            units = 0
            wanted = "1MiB or more"
            remedy = 'A number without a unit is one of bytes: write "500MB" or "4GiB"'
        elif units > AMOUNT_MAX:
            wanted = f"{shown_amount(MEMORY, AMOUNT_MAX)} or less"
    else:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        units = round(value * UNIT) if is_number and 0 < value < AMOUNT_MAX / UNIT else 0
        is_whole = units % UNIT == 0
        if (units > UNIT or name == CPU) and not is_whole:
            units = 0
        wanted = (
            "a whole number from 1"
            if name == CPU
            else "a whole number from 1, or a part from 0.001 of one that is shared"
        )
    if not 0 < units <= AMOUNT_MAX:
        raise SchedulingError(
            f"{name} must be {wanted}, but is {value!r:.100}",
            thing=f"resources.{name}",
            value=value,
            remedy=remedy,
        )
    return units


def shown_amount(name: str, units: int) -> str:
    """Return an amount as people write it."""
    if name != MEMORY:
        return f"{units / UNIT:g}"
    for suffix in ("PiB", "TiB", "GiB", "MiB", "KiB"):
        if units >= _BYTES_BY_SUFFIX[suffix]:
            return f"{units / _BYTES_BY_SUFFIX[suffix]:.4g}{suffix}"
    return f"{units}B"


def _number_of(units: int) -> int | float:
    return units / UNIT if units % UNIT else units // UNIT


def _bytes_of(value: Any) -> int:
    if type(value) is int or (type(value) is float and value.is_integer()):
        return int(value)
    if not isinstance(value, str):
        return 0
    text = value.strip()
    number = text.rstrip("BiKkMGTP")
    try:
        factor = _BYTES_BY_SUFFIX[text[len(number) :].strip() or "B"]
        return int(float(number) * factor)
    except (KeyError, ValueError, OverflowError):
        return 0


def _checked_name(name: Any) -> str:
    if is_resource(name):
        return str(name)
    raise SchedulingError(
        f"{name!r:.100} is no name of a resource",
        thing="resources",
        value=name,
        remedy='Use a lower-case word such as "gpu" or "licence"',
    )
