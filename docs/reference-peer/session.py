"""One session with a master over a stream, in plain Python and msgpack: the first half of protocol.md.

It numbers, acknowledges, sends again, gives signs of life, and comes back after a cut. It does so while
somebody calls it, so whoever works for longer than SILENCE_S has to do that in another thread or process.
"""

import collections
import os
import socket
import struct
import time

import msgpack

CALL, CAST, RESULT, ERROR, HELLO, WELCOME, PING, RESEND, BYE = range(1, 10)
MAX_BYTES = 1 << 28
WINDOW_BYTES = 16 << 20
SILENCE_S, RESUME_S = 10.0, 5.0


class Ended(Exception):
    """The session is over; whoever wants to go on begins with a new one."""


class Frame:
    """Bytes that travel as a payload frame."""

    def __init__(self, data):
        self.data = data


def connected(address):
    """Return a socket that is connected: to the path of a Unix socket, or to a host and a port."""
    if not isinstance(address, str):
        return socket.create_connection(address, SILENCE_S)
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(SILENCE_S)
    try:
        sock.connect(address)
        if hasattr(socket, "SO_PEERCRED"):
            _, user, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            assert user in (os.getuid(), 0), "another user listens there"
    except BaseException:
        sock.close()
        raise
    return sock


class Session:
    """See the module. One thread."""

    def __init__(self, address, node_id):
        self.address, self.node_id, self.session_id = address, node_id, ""
        self.last_sent = self.received = self.acked = self.asked_for = self.calls = 0
        self.kept = collections.deque()  # number, kind, body and frames of what is not acknowledged
        self.casts = collections.deque()  # what has come and was not looked at
        self.answers, self.sock = {}, None
        self.connect()

    def connect(self):
        """Greet on a new connection; resume the session if there is one."""
        self.data, self.asked_for = bytearray(), 0
        if self.sock is not None:
            self.sock.close()
        self.sock = connected(self.address)
        greeting = {"version": 1, "node_id": self.node_id, "max_bytes": MAX_BYTES, "features": ["extensions"]}
        greeting |= {"session_id": self.session_id, "last_received": self.received}
        self.write(HELLO, 0, msgpack.packb([greeting]))
        while (message := self.parsed()) is None:
            self.fill()
        kind, _, _, fields = message
        if kind != WELCOME or (self.session_id and fields[0]["is_new"]):
            raise Ended(fields)
        self.session_id, self.heartbeat_s = fields[0]["session_id"], fields[0]["heartbeat_s"]
        self.resend(fields[0]["last_received"] + 1)

    def write(self, kind, number, body, frames=()):
        """Send one message; each one acknowledges what has come."""
        self.acked = self.received
        frames = [struct.pack("!2sBBQQ", b"Cc", 1, kind, number, self.received) + body, *frames]
        prefix = struct.pack(f"!2sBBI{len(frames)}Q", b"Cc", 1, 0, len(frames), *map(len, frames))
        self.sock.settimeout(SILENCE_S)
        self.sock.sendall(prefix + b"".join(frames))
        self.wrote_at = time.monotonic()

    def resend(self, first):
        """Forget what comes before a number, and send all from there on."""
        self.forget(first - 1)
        for message in self.kept:
            self.write(message[1], message[0], *message[2:])

    def forget(self, ack):
        """Keep nothing that the master has."""
        while self.kept and self.kept[0][0] <= ack:
            self.kept.popleft()

    def send(self, kind, fields):
        """Send a message that must arrive; bytes of 64 KiB and more travel as frames."""
        frames = []

        def frame(value):
            frames.append(value.data)
            return msgpack.ExtType(1, struct.pack("!I", len(frames) - 1))

        while sum(len(one[2]) + sum(map(len, one[3])) for one in self.kept) > WINDOW_BYTES:
            self.step(0.1)
        body = msgpack.packb(fields, default=frame)
        self.last_sent += 1
        self.kept.append((self.last_sent, kind, body, frames))
        try:
            self.write(kind, self.last_sent, body, frames)
        except OSError:
            self.come_back()

    def cast(self, method, *args):
        self.send(CAST, [method, args, {}])

    def call(self, method, *args):
        """Call a method of the master and return what it answers."""
        self.calls += 1
        self.send(CALL, [self.calls, method, args, {}])
        while self.calls not in self.answers:
            self.step(1.0)
        kind, value = self.answers.pop(self.calls)
        if kind == ERROR:
            raise RuntimeError(value["message"])
        return value

    def next_cast(self, timeout_s):
        """Return method and arguments of what the master sends, None if that is nothing for so long."""
        deadline = time.monotonic() + timeout_s
        while not self.casts and (left := deadline - time.monotonic()) > 0:
            self.step(min(left, 1.0))
        return self.casts.popleft() if self.casts else None

    def step(self, timeout_s):
        """Wait for one message, and do what it says."""
        try:
            self.sock.settimeout(timeout_s)
            while (message := self.parsed()) is None:
                try:
                    self.fill()
                except TimeoutError:
                    if time.monotonic() - self.heard_at > SILENCE_S:
                        raise ConnectionError("nothing is heard of the master") from None
                    if self.acked < self.received or time.monotonic() - self.wrote_at > self.heartbeat_s / 2:
                        self.write(PING, 0, msgpack.packb([False]))
                    return
            self.take(*message)
            if self.received - self.acked >= 100:
                self.write(PING, 0, msgpack.packb([False]))
        except OSError:
            self.come_back()

    def take(self, kind, number, ack, fields):
        """Deal with a message; what has no number or the next one counts."""
        self.forget(ack)
        if number > self.received + 1 and self.asked_for != self.received + 1:
            self.asked_for = self.received + 1
            self.write(RESEND, 0, msgpack.packb([self.asked_for]))
        if number:
            if number != self.received + 1:
                return
            self.received = number
        if kind == CAST:
            self.casts.append((fields[0], fields[1]))
        elif kind in (RESULT, ERROR):
            self.answers[fields[0]] = kind, fields[1]
        elif kind == CALL:
            self.send(ERROR, [fields[0], {"code": "unknown-method", "message": "there are none here"}])
        elif kind == PING and fields[0]:
            self.write(PING, 0, msgpack.packb([False]))
        elif kind == RESEND:
            self.resend(fields[0])
        elif kind == BYE:
            self.sock.close()
            raise Ended(fields)  # anything else is of a later form of the protocol, and ignored

    def come_back(self):
        """Resume the session after a cut."""
        deadline = time.monotonic() + RESUME_S
        while True:
            try:
                return self.connect()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise Ended("the master is gone") from error
                time.sleep(0.05)

    def fill(self):
        received = self.sock.recv(1 << 16)
        if not received:
            raise ConnectionError("the connection is lost")
        self.data += received
        self.heard_at = time.monotonic()

    def parsed(self):
        """Return kind, number, acknowledgement and fields of the next message, None if it is not complete."""
        if len(self.data) < 8:
            return None
        magic, version, _, count = struct.unpack_from("!2sBBI", self.data)
        if (magic, version) != (b"Cc", 1):
            raise Ended("this is no master")
        start = 8 + 8 * count
        if len(self.data) < start:
            return None
        sizes = struct.unpack_from(f"!{count}Q", self.data, 8)
        if len(self.data) < start + sum(sizes):
            return None
        frames = []
        for size in sizes:
            frames.append(bytes(self.data[start : start + size]))
            start += size
        del self.data[:start]
        _, _, kind, number, ack = struct.unpack_from("!2sBBQQ", frames[0])
        if not CALL <= kind <= BYE:
            return kind, number, ack, []

        def resolve(_, index):
            return frames[1 + struct.unpack("!I", index)[0]]

        return kind, number, ack, msgpack.unpackb(frames[0][20:], ext_hook=resolve, strict_map_key=False)

    def close(self):
        self.write(BYE, 0, msgpack.packb(["closed", "it is done"]))
        self.sock.close()
