"""Carriers whose bytes are scrambled on the wire, and a scheduler with a push socket of its own."""

from collections import deque

from concurrent.core import Component, implements
from concurrent.scheduling import SessionWorkQueue, SocketWorkQueue, ZMQTaskScheduler
from concurrent.transport import ICarrierFactory, SocketChannel, TCPClient, TCPServer, ZMQCarrierFactory

SCRAMBLED = bytes(value ^ 0x5A for value in range(256))
PART_BYTES = 65536


class ScramblingChannel(SocketChannel):
    def __init__(self, loop, sock):
        super().__init__(loop, sock)
        self._receive_plain, self.receive_into = self.receive_into, self._receive
        self._send_plain, self.send = self.send, self._send

    def _receive(self, space):
        count = self._receive_plain(space)
        space[:count] = bytes(space[:count]).translate(SCRAMBLED)
        return count

    def _send(self, pieces):
        piece = memoryview(pieces[0])
        count = self._send_plain(deque([bytes(piece[:PART_BYTES]).translate(SCRAMBLED)]))
        pieces[0] = piece[count:]
        if not pieces[0]:
            pieces.popleft()
        return count


class ScramblingCarriers(Component):
    implements(ICarrierFactory)

    def make_server(self, loop, host, port, **options):
        return TCPServer(loop, host, port, make_channel=ScramblingChannel, **options)

    def make_client(self, loop, host, port, **options):
        return TCPClient(loop, host, port, make_channel=ScramblingChannel, **options)


class PushingScheduler(ZMQTaskScheduler):
    """Pushes tasks through ZeroMQ, whatever carries the sessions."""

    def work_queue(self, place):
        carriers = self.manager[ZMQCarrierFactory]
        return SocketWorkQueue(carriers.open_push(place.socket), "zmq")


class ClumsyQueue(SessionWorkQueue):
    """Drops what it is given the first time."""

    is_new = True

    def put(self, chunk):
        if self.is_new:
            self.is_new = False
            raise KeyError("a bug")
        super().put(chunk)


class ClumsyScheduler(ZMQTaskScheduler):
    """Offers tasks on a queue with a mistake."""

    def work_queue(self, place):
        return ClumsyQueue()
