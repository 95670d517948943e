"""The recorded conversations are what the codec writes and reads, and what a real master says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from concurrent.apps import MasterNode
from concurrent.core import Environment
from concurrent.scheduling.pickling.payload import unpickled
from concurrent.scheduling.wire.workqueue import decode_chunk, encode_chunk
from concurrent.transport.frames.frames import Buffer, Frame
from concurrent.transport.session.envelope import decode, encode_body, make_header, make_prefix
from concurrent.transport.session.messages import OPTIONAL_BY_KIND, SHAPE_BY_KIND, Kind
from concurrent.transport.web.jsonclient import JSONClient
from tests.docs.protocol_traces import FILE, document
from tests.integration.transport.raw_peer import RawPeer

TIMEOUT_S = 20.0
OPTIONS = {"master.port": "0", "transport.channel": "tcp", "transport.allow_insecure": "true"}
RECORDED = json.loads(FILE.read_text(encoding="utf-8"))
TRACES: list[dict[str, Any]] = RECORDED["traces"]
WORK_QUEUE, PAYLOAD = RECORDED["work_queue"], RECORDED["payload"]
MESSAGES = [step for trace in TRACES for step in trace["steps"] if "kind" in step]


def from_json(value: Any, frames: list[bytes]) -> Any:
    """Return the value that JSON stands for; ``frames`` are all of its message."""
    if isinstance(value, list):
        return [from_json(one, frames) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"bin"}:
        return bytes.fromhex(value["bin"])
    if value.keys() == {"frame"}:
        return Frame(frames[value["frame"] + 1])
    return {key: from_json(one, frames) for key, one in value.items()}


def fields_of(step: dict[str, Any]) -> list[Any]:
    fields: list[Any] = from_json(step["fields"], list(map(bytes.fromhex, step["frames"])))
    return fields


def as_bytes(value: Any) -> Any:
    """Return a value with the bytes of its frames, for comparison."""
    if isinstance(value, Frame):
        return bytes(value)
    if isinstance(value, list):
        return [as_bytes(one) for one in value]
    if isinstance(value, dict):
        return {key: as_bytes(one) for key, one in value.items()}
    return value


def test_the_file_is_what_its_script_writes() -> None:
    assert FILE.read_text(encoding="utf-8") == document()


def test_all_kinds_are_in_it_and_both_forms_of_payloads() -> None:
    assert {step["kind"] for step in MESSAGES} > set(Kind)
    assert {len(step["frames"]) for step in MESSAGES} == {1, 2}


@pytest.mark.parametrize("step", MESSAGES, ids=lambda step: f"{step['connection']}-{step['name']}")
def test_the_codec_writes_and_reads_each_message(step: dict[str, Any]) -> None:
    fields = fields_of(step)
    frames: list[Buffer] = list(map(bytes.fromhex, step["frames"]))
    body = encode_body(fields, "a trace")
    header = make_header(step["kind"], step["number"], step["ack"], body.data)
    assert [header, *map(bytes, body.frames)] == frames
    assert make_prefix(frames).hex() == step["prefix"]
    message = decode(frames)
    assert (message.kind, message.number, message.ack) == (step["kind"], step["number"], step["ack"])
    known = SHAPE_BY_KIND.get(message.kind, ()) + OPTIONAL_BY_KIND.get(message.kind, ())
    assert as_bytes(message.fields) == as_bytes(fields[: len(known)])


def test_the_work_queue_reads_its_message() -> None:
    parts = [bytes.fromhex(part) for part in WORK_QUEUE["parts"]]
    chunk = decode_chunk(parts)
    expected = from_json(WORK_QUEUE["fields"], [])
    assert list(chunk[:3]) == expected[:3]
    assert as_bytes(chunk.payloads) == [expected[3][0], parts[1]]
    assert [bytes(part) for part in encode_chunk(chunk)] == parts


def test_a_payload_with_a_buffer_is_read() -> None:
    data = bytes.fromhex(PAYLOAD["bytes"])
    for value in (data, Frame(data)):
        assert bytes(unpickled(value)) == bytes.fromhex(PAYLOAD["buffers"][0])


class Player:
    """Plays the clients of a trace against a master, and compares what that says."""

    def __init__(self, master: MasterNode) -> None:
        self._master = master
        self._peers: dict[str, RawPeer] = {}
        self._session_id = ""

    def play(self, step: dict[str, Any]) -> None:
        name = step["connection"]
        if "post" in step:
            self._post(step["post"])
        elif "cut" in step:
            self._peers.pop(name).sock.close()
        elif step["from"] == "client":
            if step["kind"] == Kind.HELLO:
                self._peers[name] = RawPeer(self._master.compute_server.port)
            self._peers[name].sock.sendall(bytes.fromhex(step["prefix"] + "".join(self._frames(step))))
        else:
            self._compare(self._peers[name], step)

    def close(self) -> None:
        for peer in self._peers.values():
            peer.sock.close()

    def _post(self, body: dict[str, Any]) -> None:
        with closing(JSONClient("127.0.0.1", self._master.api_service_v1.port)) as api:
            api.call(body["method"], *body["params"], timeout_s=TIMEOUT_S).result(TIMEOUT_S)

    def _frames(self, step: dict[str, Any]) -> list[str]:
        """Return the frames to send; a session that is resumed is that of this master, of the same length."""
        if step["kind"] == Kind.HELLO and (recorded := step["fields"][0]["session_id"]):
            return [
                frame.replace(recorded.encode().hex(), self._session_id.encode().hex())
                for frame in step["frames"]
            ]
        frames: list[str] = step["frames"]
        return frames

    def _compare(self, peer: RawPeer, step: dict[str, Any]) -> None:
        """Read up to the message that the trace has; texts and greetings may differ."""
        kind, expected = step["kind"], as_bytes(fields_of(step))
        message = next(one for one in peer.messages() if one.kind == kind or one.kind != Kind.PING)
        actual = as_bytes(message.fields)
        assert (message.kind, message.number) == (kind, step["number"])
        if kind == Kind.WELCOME:
            assert actual[0].keys() == expected[0].keys()
            assert set(actual[0]["features"]) >= set(expected[0]["features"])
            assert (actual[0]["is_new"], actual[0]["last_received"]) == (
                expected[0]["is_new"], expected[0]["last_received"],
            )  # fmt: skip
            self._session_id = actual[0]["session_id"]
        elif kind == Kind.ERROR:
            assert (actual[0], actual[1]["code"]) == (expected[0], expected[1]["code"])
            assert actual[1].keys() == expected[1].keys()
        elif kind == Kind.BYE:
            assert actual[::2] == expected[::2]
        else:
            assert actual == expected


@pytest.fixture
def master() -> Iterator[MasterNode]:
    env = Environment(overrides=OPTIONS, variables={})
    node = env[MasterNode]
    node.start()
    yield node
    node.stop()


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace["name"])
def test_a_master_says_what_is_recorded(master: MasterNode, trace: dict[str, Any]) -> None:
    player = Player(master)
    try:
        for step in trace["steps"]:
            player.play(step)
    finally:
        player.close()
