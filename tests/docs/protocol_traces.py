"""Writes ``docs/protocol-traces.json``: what peers say to a master and hear from it, byte for byte.

Run ``python -m tests.docs.protocol_traces`` after a change of the protocol. ``test_protocol_traces.py`` sees
that the file is what this makes, that the codec reads and writes it, and that a master answers as it says.
"""

from __future__ import annotations

import json
import struct
from collections import Counter
from pathlib import Path
from typing import Any

from concurrent.scheduling.wire.workqueue import Chunk, encode_chunk
from concurrent.transport.frames.frames import Buffer, Frame
from concurrent.transport.session.envelope import encode_body, make_header, make_prefix
from concurrent.transport.session.messages import NUMBERED_KINDS, Kind, kind_name

FILE = Path(__file__).resolve().parents[2] / "docs" / "protocol-traces.json"
SESSION_ID = "000102030405060708090a0b0c0d0e0f"
ABS_OF_MINUS_7 = b"\x80\x05(cbuiltins\nabs\n(I-7\nt}t."
SEVEN = b"\x80\x05K\x07."
LEN_OF_A_FRAME = b"\x80\x05(cbuiltins\nlen\n(C\x06framedt}t."
SIX = b"\x80\x05K\x06."
BUFFER = bytes(range(20))
LATER_KIND = 200


class Trace:
    """One conversation with a master that has just started; each connection is that of one peer.

    Numbers and acknowledgements are those of ends that have seen all that stands before.
    """

    def __init__(self, name: str, about: str) -> None:
        self.name = name
        self.about = about
        self.steps: list[dict[str, Any]] = []
        self._last: Counter[tuple[str, str]] = Counter()

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "about": self.about, "steps": self.steps}

    def asks(self, connection: str, method: str, *params: Any) -> None:
        """A peer calls the JSON API of the master."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        self.steps.append({"connection": connection, "post": body})

    def cut(self, connection: str) -> None:
        """The connection is lost."""
        self.steps.append({"connection": connection, "cut": True})

    def client(self, connection: str, kind: int, *fields: Any, **header: int) -> None:
        """A peer sends a message."""
        self._say(connection, "client", kind, list(fields), header)

    def server(self, connection: str, kind: int, *fields: Any, **header: int) -> None:
        """The master sends a message."""
        self._say(connection, "server", kind, list(fields), header)

    def greet(self, connection: str, **other: Any) -> None:
        """Both ends greet."""
        self.client(connection, Kind.HELLO, hello(connection))
        self.server(connection, Kind.WELCOME, welcome(**other))

    def join(self, connection: str, method: str, data: dict[str, Any], number: int) -> None:
        """A peer registers, greets, and binds its session."""
        self.asks(connection, method, f"{connection}-1", 0, data)
        self.greet(connection)
        self.client(connection, Kind.CALL, 1, method, [f"{connection}-1"], {})
        self.server(connection, Kind.RESULT, 1, number)

    def _say(self, connection: str, sender: str, kind: int, fields: list[Any], header: dict[str, int]) -> None:
        receiver = "server" if sender == "client" else "client"
        number = 0
        if kind in NUMBERED_KINDS or kind >= LATER_KIND:
            number = header.get("number", self._last[connection, sender] + 1)
            self._last[connection, sender] = number
        ack = 0 if kind == Kind.HELLO else header.get("ack", self._last[connection, receiver])
        body = encode_body(fields, "a trace")
        frames: list[Buffer | Frame] = [make_header(kind, number, ack, body.data), *body.frames]
        self.steps.append(
            {
                "connection": connection,
                "from": sender,
                "name": kind_name(kind),
                "kind": kind,
                "number": number,
                "ack": ack,
                "fields": to_json(fields),
                "prefix": make_prefix(frames).hex(),
                "frames": [bytes(frame).hex() for frame in frames],
            }
        )


def hello(connection: str, **other: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "session_id": "",
        "node_id": f"{connection}-1",
        "last_received": 0,
        "max_bytes": 1 << 28,
        "version_max": 1,
        "features": ["extensions"],
        **other,
    }


def welcome(**other: Any) -> dict[str, Any]:
    return {
        "session_id": SESSION_ID,
        "node_id": "master-1",
        "last_received": 0,
        "is_new": True,
        "max_bytes": 1 << 28,
        "heartbeat_s": 2.0,
        "version": 1,
        "features": ["extensions", "durable", "running", "terms"],
        **other,
    }


def to_json(value: Any, frames: list[Frame] | None = None) -> Any:
    """Return a value as JSON: a bin is ``{"bin": hex}``, a reference to a frame ``{"frame": index}``."""
    frames = [] if frames is None else frames
    if isinstance(value, bytes):
        return {"bin": value.hex()}
    if isinstance(value, Frame):
        frames.append(value)
        return {"frame": len(frames) - 1}
    if isinstance(value, list):
        return [to_json(one, frames) for one in value]
    if isinstance(value, dict):
        return {key: to_json(one, frames) for key, one in value.items()}
    return value


def work() -> Trace:
    trace = Trace(
        "work",
        "An application pushes abs(-7), then len(b'framed') as a payload frame; a slave does both.",
    )
    trace.join("application", "register_application", {}, 1)
    trace.client("application", Kind.CAST, "push_tasks", [1, 0, [[0, {"name": "abs"}]], [ABS_OF_MINUS_7]], {})
    trace.server("application", Kind.CAST, "accepted", [1], {})
    trace.client(
        "application",
        Kind.CALL,
        2,
        "push_tasks",
        [2, 0, [[0, {"attempts_max": 1}]], [Frame(LEN_OF_A_FRAME)]],
        {},
    )
    trace.server("application", Kind.RESULT, 2, None)
    trace.server("application", Kind.CAST, "accepted", [2], {})
    trace.join("slave", "register_slave", {"workers": 1, "window": 1}, 2)
    trace.server("slave", Kind.CAST, "run", [1, 0, [1], [ABS_OF_MINUS_7]], {})
    trace.client("slave", Kind.CAST, "done", [[1], [0], [SEVEN], 0.001], {})
    trace.server("application", Kind.CAST, "finished", [[1], [0], [SEVEN], 2], {})
    trace.client("application", Kind.CAST, "consumed", [len(SEVEN)], {})
    trace.server("slave", Kind.CAST, "run", [1, 0, [2], [Frame(LEN_OF_A_FRAME)]], {})
    trace.client("slave", Kind.CALL, 2, "done", [], {
        "numbers": [2], "statuses": [0], "payloads": [Frame(SIX)], "task_s": 0,
    })  # fmt: skip
    trace.server("slave", Kind.RESULT, 2, None)
    trace.server("application", Kind.CAST, "finished", [[2], [0], [Frame(SIX)], 2], {})
    trace.client("slave", Kind.CALL, 3, "set_window", [0], {})
    trace.server("slave", Kind.RESULT, 3, None)
    trace.client("slave", Kind.BYE, "closed", "the slave stops")
    trace.client("application", Kind.PING, True)
    trace.server("application", Kind.PING, False)
    trace.client("application", Kind.BYE, "closed", "the application has ended")
    return trace


def errors() -> Trace:
    trace = Trace("errors", "What is called and cannot be done gets an ERROR. Their texts may change.")
    trace.greet("application")
    trace.client("application", Kind.CALL, 1, "push_task", [], {})
    trace.server("application", Kind.ERROR, 1, {
        "code": "unknown-method", "type": "UnknownMethod", "message": "there is no method 'push_task'",
        "traceback": "", "data": {"thing": "push_task", "value": None, "remedy": "Did you mean 'push_tasks'?"},
    })  # fmt: skip
    trace.client("application", Kind.CALL, 2, "count_workers", [], {})
    trace.server("application", Kind.ERROR, 2, {
        "code": "node", "type": "NodeError", "message": "application-1 has not joined as application",
        "traceback": "", "data": {
            "thing": "application-1", "value": None,
            "remedy": "Register with the JSON API, then call register_application here",
        },
    })  # fmt: skip
    trace.client("application", Kind.BYE, "closed", "enough")
    return trace


def cut() -> Trace:
    trace = Trace(
        "cut",
        "Message 2 is lost on the way, then the connection. The client presents its session, and says that it "
        "received no more than message 2: the master sends the third one again.",
    )
    trace.join("application", "register_application", {}, 1)
    trace.client("application", Kind.CALL, 3, "count_workers", [], {}, number=3)
    trace.server("application", Kind.RESEND, 2, ack=1)
    trace.client("application", Kind.CALL, 2, "count_workers", [], {}, number=2)
    trace.client("application", Kind.CALL, 3, "count_workers", [], {}, number=3)
    trace.server("application", Kind.RESULT, 2, 0)
    trace.server("application", Kind.RESULT, 3, 0)
    trace.cut("application")
    trace.client("application", Kind.HELLO, hello("application", session_id=SESSION_ID, last_received=2))
    trace.server("application", Kind.WELCOME, welcome(last_received=3, is_new=False), ack=0)
    trace.server("application", Kind.RESULT, 3, 0, number=3)
    trace.client("application", Kind.PING, True)
    trace.server("application", Kind.PING, False)
    trace.client("application", Kind.BYE, "closed", "enough")
    return trace


def news() -> Trace:
    trace = Trace("news", "A client of a later form of the protocol: what the master does not know it ignores.")
    trace.client(
        "application", Kind.HELLO, hello("application", version_max=7, features=["dancing"], mood="good")
    )
    trace.server("application", Kind.WELCOME, welcome())
    trace.client("application", LATER_KIND, "anything", 1)
    trace.client("application", Kind.CAST, "dance", ["tango"], {})
    trace.client("application", Kind.PING, True, "and more")
    trace.server("application", Kind.PING, False)
    trace.client("application", Kind.BYE, "closed", "enough")
    return trace


def refusals() -> Trace:
    trace = Trace(
        "refusals", "The master ends the session of who speaks another version, or what it cannot take."
    )
    trace.client("application", Kind.HELLO, hello("application", version=2, version_max=3))
    trace.server(
        "application",
        Kind.BYE,
        "version",
        "application-1 speaks version 2 to 3, this is 1. Run the same version of the framework on all nodes.",
        {"versions": [1, 1]},
    )
    trace.join("slave", "register_slave", {"workers": 1, "window": 10}, 1)
    trace.client("slave", Kind.CAST, "done", [[1], [], [], 0.1], {})
    text = "done cannot be taken: the columns must be of one length, but have [1, 0, 0]"
    trace.server("slave", Kind.BYE, "protocol", text)
    return trace


def queue_message() -> dict[str, Any]:
    """Return a message of the work queue."""
    chunk = Chunk(1, 0, [5, 6], [ABS_OF_MINUS_7, Frame(LEN_OF_A_FRAME)])
    return {
        "about": "A message on the PUSH socket: two tasks, the second one in a part of its own.",
        "fields": [1, 0, [5, 6], [{"bin": ABS_OF_MINUS_7.hex()}, None]],
        "parts": [bytes(part).hex() for part in encode_chunk(chunk)],
    }


def buffer_payload() -> dict[str, Any]:
    """Return a payload whose pickle has a buffer behind it."""
    pickled = b"\x80\x05\x97\x2e"
    head = struct.pack("!BIQQ", 1, 1, len(pickled), len(BUFFER))
    data = b"".join(part + bytes(-len(part) % 16) for part in (head, pickled, BUFFER))
    return {
        "about": "A payload with one buffer of 20 bytes behind its pickle, which is that buffer.",
        "pickle": pickled.hex(),
        "buffers": [BUFFER.hex()],
        "bytes": data.hex(),
    }


def document() -> str:
    """Return the text of the file."""
    traces = [trace.to_json() for trace in (work(), errors(), cut(), news(), refusals())]
    about = (
        "Conversations with a master, see protocol.md. Bytes are hexadecimal; on TCP a message is its prefix "
        "and its frames. In fields a bin is {bin: hex}, a reference to a payload frame {frame: index}. Written "
        "by tests/docs/protocol_traces.py."
    )
    others = {"work_queue": queue_message(), "payload": buffer_payload()}
    return json.dumps({"about": about, "version": 1, "traces": traces, **others}, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
