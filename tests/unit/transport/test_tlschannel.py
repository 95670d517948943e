"""TLS over a channel that splits, holds up and ends as a test wants it."""

from __future__ import annotations

import random
import ssl
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import pytest

from concurrent.core.errors import ConfigurationError, MalformedMessage, NotAllowed, ProtocolError
from concurrent.transport.carriers.tlschannel import GREETINGS_PER_TURN, TLSChannel, TLSEnd
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.protection import TLSKeys
from concurrent.transport.security.roles import Role
from concurrent.transport.security.trust import Trust
from tests.unit.transport.parts import StillLoop

MIB = 1 << 20


class Strait:
    """One end of a stream of bytes in memory; loses nothing, but gives and takes only what a test lets pass."""

    peer_ip = "192.0.2.1"
    identity = None

    def __init__(self) -> None:
        self.other = self
        self.chance: random.Random | None = None
        self.splits = 0
        self.room = MIB * 1024
        self.arrived = bytearray()
        self.is_ended = False
        self.is_closed = False
        self.reader: Callable[[], object] | None = None
        self.writer: Callable[[], object] | None = None

    def receive_into(self, space: memoryview) -> int:
        """Give a part of what has arrived."""
        if not self.arrived and not self.is_ended:
            raise BlockingIOError
        count = min(len(space), len(self.arrived))
        if self.chance and count:
            count = min(count, self.chance.choice((1, 4, 5, 6, 40, 300)))
        self.splits += 1
        space[:count] = self.arrived[:count]
        del self.arrived[:count]
        return count

    def send(self, pieces: deque[Buffer]) -> int:
        """Take a part."""
        piece = bytes(pieces.popleft())
        count = min(len(piece), self.room)
        if self.chance and count:
            count = self.chance.randint(0, count)
        self.room -= count
        self.other.arrived += piece[:count]
        if count < len(piece):
            pieces.appendleft(piece[count:])
            if not count:
                raise BlockingIOError
        return count

    def want_read(self, fn: Callable[[], object] | None) -> None:
        """Keep it."""
        self.reader = fn

    def want_write(self, fn: Callable[[], object] | None) -> None:
        """Keep it."""
        self.writer = fn

    def finish_sending(self) -> None:
        """Let the other end see it."""
        self.other.is_ended = True

    def close(self) -> None:
        """Let the other end see it."""
        self.is_closed = True
        self.reader = self.writer = None
        self.other.is_ended = True


class Ends:
    """A server and a client of TLS, and the strait between them."""

    def __init__(self, server: TLSEnd, client: TLSEnd, loop: StillLoop | None = None) -> None:
        self.loop = loop or StillLoop()
        self.straits = (Strait(), Strait())
        self.straits[0].other, self.straits[1].other = self.straits[1], self.straits[0]
        self.server = TLSChannel(cast(Any, self.loop), self.straits[0], server)
        self.client = TLSChannel(cast(Any, self.loop), self.straits[1], client)

    def turn(self) -> None:
        """Serve each end once, as a selector would."""
        for strait in self.straits:
            if strait.reader is not None and (strait.arrived or strait.is_ended):
                strait.reader()
            if strait.writer is not None and strait.room:
                strait.writer()
        self.loop.turn()

    def greet(self) -> None:
        """Have both ends greet."""
        for _ in range(10):
            self.turn()


class Reader:
    """Receives what a channel has, into spaces as large as a test wants."""

    def __init__(
        self, channel: TLSChannel, next_size: Callable[[], int] = lambda: 65536, count_max: int = 16
    ) -> None:
        self.channel = channel
        self.next_size = next_size
        self.count_max = count_max
        self.data = bytearray()
        self.calls = 0
        self.is_ended = False
        self.error: OSError | ProtocolError | None = None
        channel.want_read(self.read)

    def read(self) -> None:
        """Receive a few times."""
        for _ in range(self.count_max):
            self.calls += 1
            space = memoryview(bytearray(self.next_size()))
            try:
                count = self.channel.receive_into(space)
            except BlockingIOError:
                return
            except (OSError, ProtocolError) as error:
                self.error = error
                self.channel.want_read(None)
                return
            if not count:
                self.is_ended = True
                self.channel.want_read(None)
                return
            self.data += space[:count]
            if count < len(space):
                return


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> TLSKeys:
    return folder(tmp_path_factory).tls(Role.MASTER)


@pytest.fixture
def ends(keys: TLSKeys) -> Ends:
    return new_ends(keys)


def folder(tmp_path_factory: pytest.TempPathFactory) -> KeyFolder:
    return make_cluster(tmp_path_factory.mktemp("keys") / "keys", "office")


def new_ends(server: TLSKeys, client: TLSKeys | None = None, loop: StillLoop | None = None) -> Ends:
    at_client = TLSEnd(client or server, Trust(), is_server=False)
    return Ends(TLSEnd(server, Trust(), is_server=True), at_client, loop)


def send(channel: TLSChannel, *pieces: Buffer) -> deque[Buffer]:
    """Send as much as goes; returns the rest."""
    rest = deque(pieces)
    try:
        while rest:
            channel.send(rest)
    except BlockingIOError:
        pass
    return rest


def test_nothing_passes_before_the_greeting_is_over(ends: Ends) -> None:
    for channel in (ends.server, ends.client):
        assert channel.identity is None
        with pytest.raises(BlockingIOError):
            channel.send(deque([b"too early"]))
        with pytest.raises(BlockingIOError):
            channel.receive_into(memoryview(bytearray(10)))
    ends.greet()
    assert str(ends.server.identity).startswith("master ")
    assert ends.client.identity == ends.server.identity


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 255, 4096, 16383, 16384, 16385, MIB, 3 * MIB + 1])
def test_what_is_sent_arrives_whatever_its_size(ends: Ends, size: int) -> None:
    ends.greet()
    data = random.Random(size).randbytes(size)
    reader = Reader(ends.server)
    rest = send(ends.client, data[: size // 3], b"", data[size // 3 :])
    assert not rest
    for _ in range(1 + size // 65536):
        ends.turn()
    assert bytes(reader.data) == data


def test_small_pieces_share_a_record_and_large_ones_are_not_copied_together(ends: Ends) -> None:
    ends.greet()
    reader = Reader(ends.server)
    pieces = [b"head", b"x" * 4096] * 3
    before = len(ends.straits[0].arrived)
    assert not send(ends.client, *pieces)
    record = 5 + 1 + 16  # its head, its type and its tag
    assert len(ends.straits[0].arrived) - before == sum(map(len, pieces)) + record
    ends.turn()
    assert bytes(reader.data) == b"".join(pieces)


@pytest.mark.parametrize("seed", range(8))
def test_however_the_bytes_are_split_the_same_ones_arrive(keys: TLSKeys, seed: int) -> None:
    """Together these are more than 100,000 splits of what is sent, on the way, and of what is received."""
    chance = random.Random(seed)
    ends = new_ends(keys)
    for strait in ends.straits:
        strait.chance = chance
    sizes = (0, 1, 7, 100, 16384, 70_000)
    outs = [deque(chance.randbytes(chance.choice(sizes)) for _ in range(80)) for _ in range(2)]
    expected = [b"".join(map(bytes, out)) for out in outs]
    spaces = (1, 2, 50, 4096, 16384, 100_000)
    readers = [Reader(channel, lambda: chance.choice(spaces)) for channel in (ends.server, ends.client)]
    while [len(reader.data) for reader in readers] != list(map(len, expected[::-1])):
        for channel, out in zip((ends.server, ends.client), outs, strict=True):
            if out:
                try:
                    channel.send(out)
                except BlockingIOError:
                    pass
        ends.turn()
        assert sum(strait.splits for strait in ends.straits) < 1_000_000
    assert [bytes(reader.data) for reader in readers] == expected[::-1]
    assert sum(each.splits for each in ends.straits) + sum(each.calls for each in readers) > 12_500


def test_what_is_decrypted_already_is_read_though_nothing_more_comes(ends: Ends) -> None:
    ends.greet()
    reader = Reader(ends.server, lambda: 100, count_max=1)
    send(ends.client, bytes(10_000))
    strait = ends.straits[0]
    assert strait.reader is not None
    strait.reader()
    assert len(reader.data) == 100
    assert not strait.arrived
    ends.loop.turn()
    assert len(reader.data) == 10_000


def test_who_reads_no_more_for_a_while_gets_the_rest_later(ends: Ends) -> None:
    ends.greet()
    reader = Reader(ends.server, lambda: 100, count_max=1)
    send(ends.client, bytes(1000))
    ends.server.want_read(None)
    ends.turn()
    assert not reader.data
    ends.server.want_read(reader.read)
    ends.turn()
    ends.server.want_read(None)
    got = len(reader.data)
    ends.turn()
    assert len(reader.data) == got
    ends.server.want_read(reader.read)
    ends.turn()
    assert len(reader.data) == 1000


def test_a_part_that_waits_for_room_leaves_by_itself_and_comes_once(ends: Ends) -> None:
    ends.greet()
    reader = Reader(ends.server)
    strait = ends.straits[1]
    strait.room = 5000
    data = random.Random(1).randbytes(MIB)
    rest = send(ends.client, data)
    assert rest
    has_room: list[bool] = []
    ends.client.want_write(lambda: has_room.append(True))
    ends.turn()
    assert not has_room
    for _ in range(30):
        strait.room = 100_000
        rest = send(ends.client, *rest)
        ends.turn()
    assert has_room
    assert bytes(reader.data) == data


def test_an_end_is_told_from_a_cut(ends: Ends, keys: TLSKeys) -> None:
    ends.greet()
    reader = Reader(ends.server)
    send(ends.client, b"last words")
    ends.client.finish_sending()
    ends.turn()
    assert bytes(reader.data) == b"last words"
    assert reader.is_ended

    cut = new_ends(keys)
    cut.greet()
    reader = Reader(cut.server)
    send(cut.client, b"last words")
    cut.straits[1].close()
    for _ in range(2):
        cut.turn()
    assert bytes(reader.data) == b"last words"
    assert isinstance(reader.error, ConnectionResetError)
    assert str(reader.error) == "the connection was cut"


def test_an_end_that_closes_says_so_first(ends: Ends) -> None:
    ends.greet()
    reader = Reader(ends.server)
    ends.client.close()
    ends.turn()
    assert reader.is_ended
    assert ends.straits[1].is_closed


def test_what_waits_for_room_leaves_before_the_end(ends: Ends) -> None:
    ends.greet()
    reader = Reader(ends.server)
    strait = ends.straits[1]
    strait.room = 100
    assert not send(ends.client, bytes(50_000))
    ends.client.finish_sending()
    ends.turn()
    assert not reader.is_ended
    strait.room = MIB
    for _ in range(3):
        ends.turn()
    assert len(reader.data) == 50_000
    assert reader.is_ended


@pytest.mark.parametrize("at", [0, 5, 20, -1])
def test_what_was_changed_on_the_way_ends_the_connection_and_what_came_before_counts(
    ends: Ends, at: int
) -> None:
    ends.greet()
    reader = Reader(ends.server)
    strait = ends.straits[0]
    send(ends.client, b"first")
    start = len(strait.arrived)
    send(ends.client, b"second, which somebody changes")
    strait.arrived[start + at if at >= 0 else at] ^= 1
    for _ in range(3):
        ends.turn()
    assert bytes(reader.data) == b"first"
    assert isinstance(reader.error, ConnectionResetError)
    assert "the TLS connection failed" in str(reader.error)


def test_the_client_of_a_server_that_goes_at_once_hears_what_that_may_mean(ends: Ends) -> None:
    ends.greet()
    reader = Reader(ends.client)
    ends.straits[0].close()
    ends.turn()
    assert "may not accept this node's key" in str(reader.error)


def test_a_peer_that_is_refused_is_told_once_and_its_bytes_are_thrown_away(keys: TLSKeys) -> None:
    trust = Trust([keys.identity.serial])
    ends = Ends(TLSEnd(keys, trust, is_server=True), TLSEnd(keys, Trust(), is_server=False))
    readers = [Reader(ends.server), Reader(ends.client)]
    ends.client.want_write(lambda: send(ends.client, b"let me in"))
    ends.greet()
    assert isinstance(readers[0].error, NotAllowed)
    assert ends.server.identity is None
    send(ends.server, b"no")
    ends.server.finish_sending()
    for _ in range(3):
        ends.turn()
    assert bytes(readers[1].data) == b"no"
    assert ends.server.receive_into(memoryview(bytearray(100_000))) > 0  # as it came, for nobody


@pytest.mark.parametrize("is_server", [True, False])
def test_who_speaks_no_tls_is_answered_plainly_by_a_server(keys: TLSKeys, is_server: bool) -> None:
    ends = new_ends(keys)
    strait, channel = (ends.straits[0], ends.server) if is_server else (ends.straits[1], ends.client)
    reader = Reader(channel)
    strait.arrived[:] = b"Cc and more"
    ends.turn()
    assert isinstance(reader.error, NotAllowed)
    before = bytes(strait.other.arrived)
    send(channel, b"the reason")
    assert bytes(strait.other.arrived) == before + b"the reason"


def test_a_greeting_that_is_no_greeting_is_refused_with_an_alert_alone(keys: TLSKeys) -> None:
    ends = new_ends(keys)
    reader = Reader(ends.server)
    strait = ends.straits[0]
    strait.arrived[:] = b"\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff"
    ends.straits[1].arrived.clear()
    ends.turn()
    assert isinstance(reader.error, MalformedMessage)
    assert send(ends.server, b"a BYE that nobody could read") == deque()
    assert bytes(ends.straits[1].arrived[:1]) in (b"\x15", b"")
    assert b"BYE" not in ends.straits[1].arrived


def test_those_who_greet_share_the_turns_of_the_loop(keys: TLSKeys) -> None:
    loop = StillLoop()
    end = TLSEnd(keys, Trust(), is_server=True)
    client = TLSEnd(keys, Trust(), is_server=False)
    crowd = [Ends(end, client, loop) for _ in range(3 * GREETINGS_PER_TURN)]
    answered = [0]
    for _ in range(3):
        for each in crowd:
            reader = each.straits[0].reader
            if reader is not None and each.straits[0].arrived:
                reader()
        loop.turn()
        answered.append(sum(bool(each.straits[1].arrived) for each in crowd))
    assert [later - earlier for earlier, later in pairwise(answered)] == [GREETINGS_PER_TURN] * 3


@pytest.mark.parametrize(
    ("is_server", "options"),
    [
        (True, {"verify_mode": ssl.CERT_NONE}),
        (True, {"minimum_version": ssl.TLSVersion.TLSv1_2}),
        (False, {"check_hostname": False}),
        (False, {"check_hostname": False, "verify_mode": ssl.CERT_NONE}),
        (False, {"minimum_version": ssl.TLSVersion.TLSv1_2}),
    ],
)
def test_contexts_that_look_at_nobody_are_not_used(
    tmp_path_factory: pytest.TempPathFactory, is_server: bool, options: dict[str, Any]
) -> None:
    loose = folder(tmp_path_factory).tls(Role.MASTER)
    for name, value in options.items():
        setattr(loose.server if is_server else loose.client, name, value)
    with pytest.raises(ConfigurationError, match="must verify certificates"):
        TLSEnd(loose, Trust(), is_server=is_server)
    TLSEnd(loose, Trust(), is_server=not is_server)
