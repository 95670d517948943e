"""The ways that tasks go to slaves: each scheduler on each channel.

Whether a cluster works at all is tested in all four. Most of the rest depends on the scheduler or on the
channel, and not on their pairing: two ways give each of them its turn, and the crossed ones are long tests.
"""

from __future__ import annotations

from typing import Final

import pytest

__all__ = ["BOTH_WAYS", "both_ways", "each_way"]

NAMES: Final = ("scheduler", "channel")
TWO: Final = (("GenericTaskScheduler", "tcp"), ("ZMQTaskScheduler", "zmq"))
CROSSED: Final = (("GenericTaskScheduler", "zmq"), ("ZMQTaskScheduler", "tcp"))

BOTH_WAYS: Final = [*TWO, *(pytest.param(way, marks=pytest.mark.long) for way in CROSSED)]
"""Pairs of a scheduler and a channel, for the parameter of a fixture."""

each_way = pytest.mark.parametrize(NAMES, [*TWO, *CROSSED])
both_ways = pytest.mark.parametrize(
    NAMES, [*TWO, *(pytest.param(*way, marks=pytest.mark.long) for way in CROSSED)]
)
