"""Large arguments of many calls travel once to each worker, and calls refer to them.

An argument that a second call of the same job has too is pickled into a function without a name, whose
closure holds its bytes. Such a function is code that travels (``pickling/codebook.py``): it goes to the master,
to each slave and to each worker once, and stays there until the program ends. So bytes are known by their
content, which a later job may have too, and there may be so many of them and no more.

The array that a call gets is a view of these bytes: it cannot be written to, or is a copy if it has to be.
"""

from __future__ import annotations

import hashlib
import pickle
import weakref
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from concurrent.apps.integrations.clusters import cluster_of
from concurrent.core.loggers import get_log
from concurrent.scheduling.wire.columns import CODE_BYTES_MAX

if TYPE_CHECKING:
    from concurrent.apps import ClusterExecutor, ExecutorView
    from concurrent.scheduling.pickling.code import AppCode

__all__ = ["LargeArguments", "StandIns", "stand_ins_of"]

TOTAL_BYTES_MAX: Final = 192 << 20
"""How many bytes may travel once for one executor."""

SPARE_BYTES: Final = 32 << 20
"""How much room is left in any case for code that the program will send."""

REST_BYTES_MAX: Final = 64 << 10
"""What else an argument may consist of. One with more, such as an array of objects, is no block of numbers."""

KINDS: Final = frozenset({"numpy", "pandas", "scipy"})
"""The packages of which arguments are looked at."""

log = get_log(__name__)


class StandIns:
    """What stands for large arguments on one executor. Any thread, under the lock of its job.

    :param code: the code of the program, which there may be so much of and no more.
    """

    def __init__(self, code: AppCode) -> None:
        self._code = code
        self._by_digest: dict[bytes, StandIn] = {}
        self._size_bytes = 0
        self._is_full = False

    def of(self, value: Any, *, is_writable: bool) -> StandIn | None:
        """Return what stands for a value, None if that has to travel with each call."""
        buffers: list[memoryview] = []
        try:
            rest = pickle.dumps(value, 5, buffer_callback=lambda buffer: buffers.append(buffer.raw()))
        except Exception:  # boundary: the code of the value; the call that has it will say what is wrong
            return None
        if len(rest) > REST_BYTES_MAX:
            return None
        data = b"".join(buffers)
        ends = (0, *accumulate(buffer.nbytes for buffer in buffers))
        rest = pickle.dumps(Rest(rest, ends, is_writable), 5)
        digest = hashlib.blake2b(rest, digest_size=32)
        digest.update(data)
        known = self._by_digest.get(digest.digest())
        if known is None and self._has_room(len(data)):
            known = self._by_digest[digest.digest()] = StandIn(_function_of(rest, data))
        return known

    def _has_room(self, size_bytes: int) -> bool:
        code_bytes = sum(len(self._code.blob_at(index)) for index in range(self._code.blob_count))
        is_room = code_bytes + size_bytes <= CODE_BYTES_MAX - SPARE_BYTES
        if is_room and self._size_bytes + size_bytes <= TOTAL_BYTES_MAX:
            self._size_bytes += size_bytes
            return True
        if not self._is_full:
            self._is_full = True
            log.warning(
                "further large arguments travel with each call: workers keep %d MiB already until the executor "
                "ends, and %d MiB of code",
                self._size_bytes >> 20,
                (code_bytes - self._size_bytes) >> 20,
            )
        return False


class LargeArguments:
    """The large arguments of one job: known by identity, so they must not change while it runs.

    :param stand_ins: those of the executor.
    :param bytes_min: how large an argument has to be.
    :param is_writable: whether calls may change what they are given.
    """

    def __init__(self, stand_ins: StandIns, bytes_min: int, *, is_writable: bool) -> None:
        self._stand_ins = stand_ins
        self._bytes_min = bytes_min
        self._is_writable = is_writable
        self._met: dict[int, tuple[weakref.ref[Any], StandIn | None]] = {}

    def replaced(self, argument: Any) -> Any:
        """Return what travels for an argument: itself, unless it is large and was met before."""
        if size_of(argument) < self._bytes_min:
            return argument
        known = self._met.get(id(argument))
        if known is None or known[0]() is not argument:
            self._met[id(argument)] = weakref.ref(argument), None
            return argument
        stand_in = known[1] or self._stand_ins.of(argument, is_writable=self._is_writable)
        self._met[id(argument)] = known[0], stand_in
        return argument if stand_in is None else stand_in


class Rest(NamedTuple):
    """What else travels of a value beside its buffers.

    :param pickled: the value without them.
    :param ends: where each begins and ends in the data.
    """

    pickled: bytes
    ends: tuple[int, ...]
    is_writable: bool


class StandIn:
    """Becomes the value when it is unpickled.

    :param function: returns the value.
    """

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        return self._function, ()


def _function_of(rest: bytes, data: bytes) -> Callable[[], Any]:
    """Return a function without a name, so that its bytes travel with it."""

    def value() -> Any:
        return value_of(rest, data)

    return value


def value_of(rest: bytes, data: bytes) -> Any:
    """Return a value whose arrays are views of the data, or of a copy if one may write to them. On a worker."""
    pickled, ends, is_writable = pickle.loads(rest)
    view = memoryview(bytearray(data) if is_writable else data)
    return pickle.loads(pickled, buffers=[view[begin:end] for begin, end in pairwise(ends)])


def size_of(value: Any) -> int:
    """Return how many bytes the numbers of an array or table have; 0 if it is neither."""
    if type(value).__module__.partition(".")[0] not in KINDS:
        return 0
    return max(_sizes(value), default=0)


def _sizes(value: Any) -> Iterator[int]:
    for part in (value, getattr(value, "data", None)):  # sparse matrices have their numbers there
        size_bytes = getattr(part, "nbytes", 0)
        if isinstance(size_bytes, int):
            yield size_bytes
    if hasattr(value, "memory_usage"):  # a table of pandas
        usage = value.memory_usage()
        yield int(getattr(usage, "sum", lambda: usage)())


def stand_ins_of(executor: ClusterExecutor | ExecutorView) -> StandIns:
    """Return what stands for large arguments on an executor; views of one have the same."""
    core = cluster_of(executor)._core
    known: StandIns = core.attachments.setdefault(StandIns, StandIns(core.client.tasks.code))
    return known
