"""A small run of each decoder of ``benchmarks/fuzz``, and what the program does when one crashes."""

from __future__ import annotations

import struct
from mmap import mmap
from pathlib import Path

import pytest

from benchmarks.fuzz.campaign import feed, feed_in, names_in
from benchmarks.fuzz.decoder import Decoder

EXECUTIONS = 400
KEPT_BYTES = 400_000

NAMES = (
    "frames", "greeting", "welcome", "messages", "to master", "terms", "columns", "wishes", "answers", "errors",
    "failures", "chunks of tasks", "journal rows", "questions of ZeroMQ", "messages of ZeroMQ", "requests",
    "heads", "headers", "JSON-RPC", "registrations",
    "join lines", "join requests", "tokens", "names in certificates", "certificates of servers", "invitations",
    "audit logs",
)  # fmt: skip


def test_these_are_all_decoders(tmp_path: Path) -> None:
    assert names_in(tmp_path) == list(NAMES)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_a_peer_sends_crashes_a_decoder(name: str, tmp_path: Path) -> None:
    outcome = feed_in(tmp_path, name, EXECUTIONS, seed=1)
    assert outcome.executions == EXECUTIONS
    assert outcome.crashes == []


def test_an_error_that_is_not_declared_is_a_crash() -> None:
    careless = Decoder("careless", struct.Struct("!I").unpack, (ValueError,), (b"abcd",))
    outcome = feed(careless, 1000, seed=1)
    assert "struct.error" in outcome.problems[0]
    assert outcome.executions < 1000
    declared = Decoder("declared", struct.Struct("!I").unpack, (struct.error,), (b"abcd",))
    assert feed(declared, 1000, seed=1).problems == []


def test_memory_that_is_kept_and_inputs_that_take_long_are_told() -> None:
    kept: list[mmap] = []

    def keep(_data: bytes) -> None:
        kept.append(mmap(-1, KEPT_BYTES))  # not what other tests have freed, which would be no growth
        kept[-1].write(bytes(KEPT_BYTES))

    outcome = feed(Decoder("keeps", keep, (), (b"x",)), 300, seed=1)
    assert "grew by" in outcome.problems[0]
    outcome.growth_mb, outcome.slowest_s = 0.0, 2.0
    assert "took 2.0 s" in outcome.problems[0]
