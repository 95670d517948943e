"""Makes inputs of valid ones: the same seed makes the same inputs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Final

__all__ = ["Mutator"]

ODD_NUMBERS: Final = (
    0, 1, -1, 2, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32, -(2**31),
    2**53, 2**63 - 1, -(2**63), 2**64 - 1,
)  # fmt: skip
ODD_VALUES: Final[tuple[Any, ...]] = (
    *ODD_NUMBERS, None, True, False, "", "x" * 300, "\x00", "\ud7ff", "\u202e", b"", b"\x80", b"x" * 300,
    [], {}, [[]], {"": 0}, 0.0, -0.0, 1e308, float("nan"), float("inf"), [0] * 50, {1: 2}, "../..", "a\r\nb",
)  # fmt: skip
NOISE_BYTES_MAX: Final = 400
DEPTHS: Final = (5, 100, 600, 3000)
CHANGES_MAX: Final = 6


class Mutator:
    """See the module.

    :param seed: chooses what is made.
    """

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def chance(self) -> float:
        """Return a number from 0 to 1."""
        return self._chance.random()

    def noise(self) -> bytes:
        """Return random bytes."""
        return self._chance.randbytes(self._chance.randrange(NOISE_BYTES_MAX))

    def choose(self, options: Sequence[Any]) -> Any:
        """Return one of some."""
        return self._chance.choice(options)

    def damaged(self, inputs: Sequence[bytes]) -> bytes:
        """Return one of some inputs, after a few changes."""
        data = bytearray(self._chance.choice(inputs))
        for _ in range(self._chance.randint(1, CHANGES_MAX)):
            change: Callable[[Mutator, bytearray, Sequence[bytes]], None] = self._chance.choice(_CHANGES)
            change(self, data, inputs)
        return bytes(data)

    def changed(self, value: Any) -> Any:
        """Return a copy of a value of lists and maps in which one part, or a few, are other ones."""
        for _ in range(self._chance.randint(1, 2)):
            value = self._changed(value)
        return value

    def _changed(self, value: Any) -> Any:
        if isinstance(value, (list, tuple, dict)) and value and self._chance.random() < 0.8:
            return self._changed_map(value) if isinstance(value, dict) else self._changed_list(list(value))
        if isinstance(value, (str, bytes)) and self._chance.random() < 0.5:
            damaged = self.damaged([value.encode(errors="replace") if isinstance(value, str) else value])
            return damaged.decode("latin-1") if isinstance(value, str) else damaged
        if self._chance.random() < 0.02:
            return self._nested(self._chance.choice(DEPTHS))
        return self._chance.choice(ODD_VALUES)

    def _changed_map(self, value: dict[Any, Any]) -> dict[Any, Any]:
        copy = dict(value)
        key = self._chance.choice(list(copy))
        way = self._chance.random()
        if way < 0.15:
            del copy[key]
        elif way < 0.25:
            copy[self._chance.choice(("", 7, "x", "__class__", None))] = self._chance.choice(ODD_VALUES)
        else:
            copy[key] = self._changed(copy[key])
        return copy

    def _changed_list(self, value: list[Any]) -> list[Any]:
        place = self._chance.randrange(len(value))
        way = self._chance.random()
        if way < 0.1:
            del value[place]
        elif way < 0.2:
            value.insert(place, self._chance.choice(ODD_VALUES))
        elif way < 0.25:
            value += value
        else:
            value[place] = self._changed(value[place])
        return value

    def _nested(self, depth: int) -> Any:
        value: Any = 0
        is_list = self._chance.random() < 0.5
        for _ in range(depth):
            value = [value] if is_list else {"a": value}
        return value

    def _flip(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        if data:
            data[self._chance.randrange(len(data))] ^= 1 << self._chance.randrange(8)

    def _replace(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        if data:
            data[self._chance.randrange(len(data))] = self._chance.randrange(256)

    def _number(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        size = self._chance.choice((1, 2, 4, 8))
        place = self._place(data)
        number = self._chance.choice(ODD_NUMBERS) % (1 << 8 * size)
        data[place : place + size] = number.to_bytes(size, self._chance.choice(("big", "little")))

    def _cut(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        del data[self._place(data) :]

    def _remove(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        place = self._place(data)
        del data[place : place + self._chance.randint(1, 16)]

    def _insert(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        place = self._place(data)
        data[place:place] = self._chance.randbytes(self._chance.randint(1, 16))

    def _repeat(self, data: bytearray, _inputs: Sequence[bytes]) -> None:
        place, size = self._place(data), self._chance.randint(1, 32)
        data[place:place] = data[place : place + size] * self._chance.randint(1, 8)

    def _splice(self, data: bytearray, inputs: Sequence[bytes]) -> None:
        other = self._chance.choice(inputs)
        place = self._place(data)
        data[place:] = other[self._chance.randint(0, len(other)) :]

    def _place(self, data: bytearray) -> int:
        return self._chance.randint(0, len(data))


_CHANGES: Final = (
    Mutator._flip, Mutator._replace, Mutator._number, Mutator._cut, Mutator._remove, Mutator._insert,
    Mutator._repeat, Mutator._splice,
)  # fmt: skip
