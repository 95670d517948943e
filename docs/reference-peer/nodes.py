"""An application and a slave, written from protocol.md: for those who write a peer in another language.

With session.py it has all that a peer needs, in the simplest form, and uses no module of Concurrent. Both are
tested against a real master, also with connections that are cut.

A master on this machine is reached through its place, as a process of the same user; one elsewhere has to be
open, for there is no TLS here.

    python nodes.py slave HOST:PORT
    python nodes.py application HOST:PORT math.factorial 20
"""

import json
import os
import pickle
import socket
import struct
import sys
import tempfile
import time
from http.client import HTTPConnection

import msgpack
from session import SILENCE_S, Ended, Frame, Session, connected


def payload(data):
    return Frame(data) if len(data) >= 1 << 16 else data


def opcodes(value):
    """Return a value as pickle opcodes, which need no library; see protocol.md."""
    simple = {None: b"N", True: b"\x88", False: b"\x89"}
    if value is None or isinstance(value, bool):
        return simple[value]
    if isinstance(value, int):
        return b"I%d\n" % value
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if isinstance(value, str):
        return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return b"B" + struct.pack("<I", len(value)) + value
    if isinstance(value, dict):
        return b"(" + b"".join(opcodes(key) + opcodes(one) for key, one in value.items()) + b"d"
    return b"(" + b"".join(map(opcodes, value)) + (b"t" if isinstance(value, tuple) else b"l")


def pickled_call(name, *args):
    """Return the payload of a call of a function that the workers can import."""
    module, _, function = name.rpartition(".")
    start = b"\x80\x05(c" + (module or "builtins").encode() + b"\n" + function.encode() + b"\n"
    return start + opcodes(args) + b"}t."


def place_of(host, port):
    """Return the folder with the sockets of a node for its user; empty where nobody listens there."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(base) and os.access(base, os.W_OK | os.X_OK):
        folder = os.path.join(base, "concurrent", port)
    else:
        folder = os.path.join(tempfile.gettempdir(), f"concurrent-{os.getuid()}", port)
    is_near = host in ("127.0.0.1", "localhost") and os.path.exists(os.path.join(folder, "http"))
    return folder if is_near and os.stat(folder).st_uid == os.getuid() else ""


def join(address, role, data):
    """Register with the JSON API of a master, and open a session; return it."""
    host, _, port = address.rpartition(":")
    place = place_of(host, port)
    node_id = f"{role}-{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}"
    body = {"jsonrpc": "2.0", "id": 1, "method": f"register_{role}", "params": [node_id, 0, data]}
    http = HTTPConnection(host, int(port), timeout=SILENCE_S)
    if place:
        http.sock = connected(os.path.join(place, "http"))
    http.request("POST", "/api/1", json.dumps(body), {"Content-Type": "application/json"})
    answer = json.load(http.getresponse())["result"]
    http.close()
    assert answer["channel"] == "tcp", "this peer speaks the TCP channel"
    session = Session(os.path.join(place, "compute") if place else (host, answer["port"]), node_id)
    session.call(f"register_{role}", node_id)
    return session


def run_calls(session, payloads):
    """Be an application: return status and payload of each call."""
    outcomes, count = {}, len(payloads)
    for first in range(0, count, 1000):
        part = list(map(payload, payloads[first : first + 1000]))
        session.cast("push_tasks", first + 1, 0, [[0, {"name": "call"}]], part)
    while len(outcomes) < count:
        message = session.next_cast(60.0)
        assert message is not None, "the master is silent"
        if message[0] == "finished":
            ids, statuses, results, _ = message[1]
            outcomes.update(zip(ids, zip(statuses, results, strict=True), strict=True))
            session.cast("consumed", sum(map(len, results)))
    return [outcomes[number + 1] for number in range(count)]


def failure_of(data):
    """Return the words of a failed call; a slave may have pickled them."""
    return pickle.loads(data) if data[:1] == b"\x80" else msgpack.unpackb(data, unicode_errors="surrogatepass")


def run_slave(session, goes_on=lambda: True):
    """Be a slave: run calls of functions that can be imported, and refuse all else."""
    while goes_on():
        method, args = session.next_cast(1.0) or ("", ())
        if method == "run":
            work(session, *args[2:])
        elif method == "give_back":
            session.cast("returned", [])  # all that came has been done already


def work(session, numbers, payloads):
    for number, data in zip(numbers, payloads, strict=True):
        try:
            function, args, kwargs = pickle.loads(data)
            assert callable(function), "a task of an application in Python, which needs its code"
        except Exception:  # boundary: it is for others
            session.cast("returned", [number])
            continue
        began_at = time.monotonic()
        try:
            status, result = 0, pickle.dumps(function(*args, **kwargs))
        except Exception as error:  # boundary: what a call raises is its outcome
            failure = {"type": type(error).__name__, "message": str(error)}
            status, result = 1, msgpack.packb(failure, unicode_errors="surrogatepass")
        session.cast("done", [number], [status], [payload(result)], time.monotonic() - began_at)


if __name__ == "__main__":
    if sys.argv[1] == "slave":
        try:
            run_slave(join(sys.argv[2], "slave", {"workers": 1, "window": 10}))
        except Ended as reason:
            print(reason)
    else:
        application = join(sys.argv[2], "application", {})
        ((status, result),) = run_calls(
            application, [pickled_call(sys.argv[3], *map(json.loads, sys.argv[4:]))]
        )
        print({0: pickle.loads, 1: failure_of}.get(status, bytes)(result))
        application.close()
