"""Feeds one decoder, in a process of its own, and tells what came of it."""

from __future__ import annotations

import gc
import os
import struct
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.fuzz import channels, doors, zeromq
from benchmarks.fuzz.decoder import Decoder
from benchmarks.fuzz.mutation import Mutator
from concurrent.core.errors import InvalidArguments

__all__ = ["Outcome", "feed", "feed_in", "names_in"]

GROWTH_MB_MAX: Final = 8.0
SLOW_S: Final = 1.0
"""An input may take so much processor time."""

CRASHES_MAX: Final = 10
"""So many are told; the rest are mostly the same."""

MB: Final = 1_000_000
UNPACKABLE: Final = (ValueError, TypeError, OverflowError, RecursionError, struct.error, InvalidArguments)
STEADY_SHARE: Final = 0.2
"""After this share of the inputs all caches should be full, and memory is compared with what it is then."""

NOISE_SHARE: Final = 0.05


@dataclass
class Outcome:
    """What came of the inputs of one decoder.

    :param accepted: how many of them were read without an error.
    :param growth_mb: by how much the process grew after the first part of them.
    :param slowest_s: the most processor time that one took.
    """

    name: str
    executions: int = 0
    accepted: int = 0
    took_s: float = 0.0
    growth_mb: float = 0.0
    slowest_s: float = 0.0
    crashes: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What is wrong, as lines."""
        found = list(self.crashes)
        if self.growth_mb > GROWTH_MB_MAX:
            found.append(f"{self.name}: the process grew by {self.growth_mb:.1f} MB")
        if self.slowest_s > SLOW_S:
            found.append(f"{self.name}: an input took {self.slowest_s:.1f} s")
        return found


def names_in(folder: Path) -> list[str]:
    """Return the names of all decoders.

    :param folder: an empty one, where they may keep files.
    """
    return [one.name for one in _all(folder)]


def feed_in(folder: Path, name: str, count: int, seed: int) -> Outcome:
    """Feed the decoder of a name, see :func:`feed` and :func:`names_in`."""
    (decoder,) = (one for one in _all(folder) if one.name == name)
    return feed(decoder, count, seed)


def feed(decoder: Decoder, count: int, seed: int) -> Outcome:
    """Feed a decoder with so many inputs. Nothing else should run in the process."""
    outcome = Outcome(decoder.name)
    for valid in (*decoder.inputs, *map(decoder.pack, decoder.values)):
        decoder.decode(valid)  # what is valid raises nothing
    mutator = Mutator(seed)
    steady = int(count * STEADY_SHARE)
    start, before_mb = time.monotonic(), 0.0
    for number in range(count):
        if number == steady:
            before_mb = _resident_mb()
        _execute(decoder, _input(decoder, mutator), outcome)
        if len(outcome.crashes) >= CRASHES_MAX:
            break
    outcome.took_s = time.monotonic() - start
    outcome.growth_mb = max(0.0, _resident_mb() - before_mb) if outcome.executions == count else 0.0
    return outcome


def _all(folder: Path) -> list[Decoder]:
    return [*channels.decoders(), *zeromq.decoders(), *doors.decoders(folder)]


def _execute(decoder: Decoder, data: bytes, outcome: Outcome) -> None:
    start = time.process_time()
    try:
        decoder.decode(data)
        outcome.accepted += 1
    except decoder.errors:
        pass
    except BaseException as error:  # boundary: an error that the decoder does not declare is what is looked for
        lines = "".join(traceback.format_exception(error))
        outcome.crashes.append(f"{decoder.name} {data[:1000]!r}\n{lines}")
    outcome.slowest_s = max(outcome.slowest_s, time.process_time() - start)
    outcome.executions += 1


def _input(decoder: Decoder, mutator: Mutator) -> bytes:
    way = mutator.chance()
    if way < NOISE_SHARE:
        return mutator.noise()
    if decoder.values and (way < 0.6 or not decoder.inputs):
        try:
            return decoder.pack(mutator.changed(mutator.choose(decoder.values)))
        except UNPACKABLE:
            return mutator.noise()
    return mutator.damaged(decoder.inputs)


def _resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / MB
