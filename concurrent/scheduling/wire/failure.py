"""A failed attempt on its way home: what the worker sends, and the exception its owner gets."""

from __future__ import annotations

import os
import pickle
import time
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Protocol

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import (
    ConcurrentError,
    PayloadTooLarge,
    SchedulingError,
    TaskError,
    TaskFailed,
    UnpicklableResult,
    UnpicklableValue,
)
from concurrent.core.foreign import text_of
from concurrent.scheduling.wire.asitis import forms_of
from concurrent.scheduling.wire.columns import Payload
from concurrent.transport.frames.frames import Frame

with installed_first("msgpack"):
    import msgpack

__all__ = [
    "FailureText",
    "RemoteDetails",
    "dumps_failure",
    "each_too_large",
    "failure_text",
    "infeasible",
    "lines_of",
    "loads_failure",
    "message_of",
    "not_kept",
    "time_of_day",
    "trace_of_task",
    "unpicklable",
    "with_details",
]

MESSAGE_CHARS_MAX: Final = 8192
TRACEBACK_CHARS_MAX: Final = 32768
EXCEPTION_BYTES_MAX: Final = 1048576
_TRACE: Final = vars(BaseException)["__traceback__"]
"""Reads the traceback of an exception, also of one whose class has code of its own for attributes."""

PICKLE: Final = b"\x80"
"""How a pickle begins, and no msgpack map that has an entry."""

GO_ALONG: Final = "Project(include=...) has files go along"
"""What to do about a file that is where the program is, and not where its task ran."""

OWN_PACKAGE: Final = "concurrent.scheduling."
TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S %z"


class RemoteDetails(Exception):
    """What another process knows of an error: its traceback there, or how its workers died.

    It is the cause of the error that is raised here, so that whatever prints that one (the interpreter, a
    log, a notebook) prints this before it. It is never raised.
    """

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}\n"""'


class FailureText(NamedTuple):
    """What a failed attempt says of itself in words: empty where it says nothing."""

    type: str
    message: str
    traceback: str
    output: str
    where: str


class Pickling(Protocol):
    """What pickles and unpickles values of one application."""

    def dumps_payload(self, value: Any) -> bytes | Frame:
        """Pickle a value."""

    def loads_payload(self, payload: bytes | Frame) -> Any:
        """Unpickle a value."""


class _OwnErrors:
    """Pickles the errors of the framework, which every process knows, where no application's code is."""

    def dumps_payload(self, value: Any) -> bytes:
        """Pickle such an error."""
        if not isinstance(value, ConcurrentError):
            raise TypeError(f"{type(value).__qualname__} is not an error of the framework")
        return pickle.dumps(value, protocol=5)

    def loads_payload(self, payload: bytes | Frame) -> Any:
        """Unpickle it."""
        return pickle.loads(payload if isinstance(payload, bytes) else payload.buffer)


def time_of_day() -> str:
    """Return the local date and time with its zone, for evidence."""
    return time.strftime(TIME_FORMAT)


def dumps_failure(error: BaseException, pickling: Pickling | None, output: str, where: str = "") -> bytes:
    """Return the payload of a failed attempt. On the worker.

    It is a msgpack map, so that the words in it can be read by who must not unpickle anything: ``type`` and
    ``message`` of the exception, its ``traceback`` as text, ``exception``: the pickled exception, or None if it
    could not be rebuilt from a pickle, ``output``: the tail of what the task printed, and ``where``: the slave,
    the worker and the time.

    :param pickling: the application's code; None if it is not known here.
    :param where: the slave and the worker; nothing if the task never got there.
    """
    packed: bytes = msgpack.packb(
        {
            "type": type(error).__qualname__,
            "message": message_of(error),
            "traceback": _traceback(error),
            "exception": _pickled(error, pickling or _OwnErrors()),
            "output": output,
            "where": f"{where}, {time_of_day()}" if where else "",
        },
        unicode_errors="surrogatepass",
    )
    return packed


def failure_text(payload: bytes | Frame) -> FailureText | None:
    """Return the words of a failed attempt without unpickling anything; None if it cannot be read so."""
    try:
        failure = _unpacked(_bytes_of(payload))
    except (ValueError, TypeError, msgpack.UnpackException):
        return None
    if not isinstance(failure, dict):
        return None
    values = (failure.get(name, "") for name in FailureText._fields)
    return FailureText(*(value if isinstance(value, str) else "" for value in values))


def loads_failure(payload: bytes | Frame, pickling: Pickling | None) -> BaseException:
    """Return the exception of a failed attempt. Where the outcome is consumed.

    It is the task's own exception if that can be rebuilt here, with the remote traceback as its cause, else
    a :class:`TaskFailed`. Both tell where that was: the first line of the traceback, and the message of an
    ImportError, since what is not installed there may be everywhere else, or of a FileNotFoundError, if the
    file is here.
    """
    data = _bytes_of(payload)
    is_pickle = bytes(data[:1]) == PICKLE  # an earlier slave, or one of others
    failure: dict[str, Any] = pickle.loads(data) if is_pickle else _unpacked(data)
    trace, output, where = (failure.get(name, "") for name in ("traceback", "output", "where"))
    remote = with_details(
        TaskFailed(
            f"{failure['type']}: {failure['message']}",
            thing=failure["type"],
            traceback=f"On {where}:\n{trace}" if where else trace,
            evidence=(output,) if output else (),
        )
    )
    if failure.get("exception") is None:
        return remote
    try:
        error = (pickling.loads_payload if pickling is not None else pickle.loads)(failure["exception"])
        if not isinstance(error, BaseException):
            return remote
        if where:
            _tell_place(error, where)
        error.__cause__ = remote
    except BaseException:  # boundary: the exception's own code runs here
        return remote
    return error


def _bytes_of(payload: bytes | Frame) -> bytes | memoryview:
    return payload if isinstance(payload, bytes) else memoryview(payload.buffer)


def _unpacked(data: bytes | memoryview) -> Any:
    return msgpack.unpackb(data, unicode_errors="surrogatepass")


def _tell_place(error: BaseException, where: str) -> None:
    if isinstance(error, ImportError):
        error.msg = f"{error.msg} (on {where})"
    elif (
        isinstance(error, FileNotFoundError) and type(error.filename) is str and os.path.exists(error.filename)
    ):
        error.strerror = f"{error.strerror} (on {where}; it is on this machine: {GO_ALONG})"


def with_details(error: TaskError) -> TaskError:
    """Return an error that shows its remote traceback and evidence wherever it is printed with its causes."""
    details = "\n".join(part.rstrip() for part in (error.traceback, *error.evidence) if part)
    if details:
        error.__cause__ = RemoteDetails(details)
    return error


def message_of(error: BaseException) -> str:
    """Return the text of an exception, or the beginning of a long one."""
    return text_of(error)[:MESSAGE_CHARS_MAX]


def _traceback(error: BaseException) -> str:
    trace = trace_of_task(_TRACE.__get__(error))
    try:
        text = "".join(traceback.format_exception(type(error), error, trace))
    except BaseException:  # boundary: the exception's own code runs here
        text = "".join(traceback.format_tb(trace))
    left_out = len(text) - TRACEBACK_CHARS_MAX
    return text if left_out <= 0 else f"({left_out} characters are left out)\n{text[left_out:]}"


def trace_of_task(trace: TracebackType | None) -> TracebackType | None:
    """Leave out the frames above the task's own; all are kept if there are no others."""
    inner = trace
    while inner is not None and str(inner.tb_frame.f_globals.get("__name__")).startswith(OWN_PACKAGE):
        inner = inner.tb_next
    return inner or trace


def _pickled(error: BaseException, pickling: Pickling) -> bytes | None:
    """Return the pickled exception if it survives the way there and back, by its own code or as it is."""
    for form in forms_of(error):
        try:
            data = bytes(pickling.dumps_payload(form))
            if len(data) > EXCEPTION_BYTES_MAX:
                return None
            if type(pickling.loads_payload(data)) is type(error):
                return data
        except BaseException:  # boundary: the exception's own code runs here
            continue
    return None


def unpicklable(result: Any, error: BaseException) -> UnpicklableResult:
    """Return the error for a result that cannot be pickled. On the worker.

    What has said so of the value does not say it twice, and what it advises is for arguments.
    """
    reason = message_of(error)
    if isinstance(error, UnpicklableValue):
        reason = error.message[:MESSAGE_CHARS_MAX].removeprefix(f"{error.thing} cannot be pickled: ")
    return UnpicklableResult(
        f"the task finished, but its result of type {type(result).__qualname__} cannot be pickled: {reason}",
        thing=type(result).__qualname__,
        remedy="Return plain data; open files, locks, connections and generators stay in their process.",
    )


def too_large(what: str, size_bytes: int, limit_bytes: int) -> bytes:
    """Return the payload of an attempt that failed because something does not fit into a message.

    :param what: the task or its result.
    """
    error = PayloadTooLarge(
        f"{what} of {size_bytes} bytes does not fit into a message of at most {limit_bytes}",
        thing="transport.message_bytes_max",
        value=size_bytes,
        remedy="Split the work, leave large data out, or raise transport.message_bytes_max on all nodes",
    )
    return dumps_failure(error, None, "")


def each_too_large(what: str, payloads: Sequence[Payload], limit_bytes: int) -> list[Payload]:
    """Return the payloads of attempts that failed because none of these fit into a message of so many bytes."""
    return [too_large(what, len(one), limit_bytes) for one in payloads]


def code_too_large(size_bytes: int, limit_bytes: int) -> PayloadTooLarge:
    """Return the error of a program whose code, with the data in its global names, cannot be sent."""
    return PayloadTooLarge(
        f"the code of this program and the data in its global names have {size_bytes} bytes, and the "
        f"master takes {limit_bytes} at most",
        thing="code",
        value=size_bytes,
        remedy="Keep large data out of global names: hand it to tasks, or have them read it from files",
    )


def not_kept(names: Sequence[str]) -> bytes:
    """Return the payload of a task that was not pushed, because the master is older and would not keep this.

    :param names: what is asked for.
    """
    asked = ", ".join(names)
    error = SchedulingError(
        f"the master is older than this program and knows no {asked}, so it would run the task without",
        thing=names[0],
        remedy=f"Have the master run the version of this program, or leave {asked} out",
    )
    return dumps_failure(error, None, "")


def unreadable(error: OSError) -> bytes:
    """Return the payload of an attempt that failed because the master could not read its data from disk."""
    problem = SchedulingError(
        f"the master cannot read back what it put on disk: {error}",
        thing="master.folder",
        remedy="See to the disk of the master, then push the task again",
    )
    return dumps_failure(problem, None, "")


def infeasible(why: str) -> bytes:
    """Return the payload of a task that failed because no slave could ever meet what it claims.

    :param why: what is missing.
    """
    problem = SchedulingError(
        f"no slave can meet what the task claims: {why}",
        thing="resources",
        remedy="Start a slave that has it ('[slave] resources'), or ask for less",
    )
    return dumps_failure(problem, None, "")


def lines_of(error: BaseException) -> str:
    """Return the remote traceback and the evidence of an error, or its traceback here, as lines of text."""
    source = error if isinstance(error, TaskError) else error.__cause__
    if not isinstance(source, TaskError):
        return "".join(traceback.format_exception(error))
    lines = [source.traceback.rstrip(), *source.evidence]
    return "\n".join(line for line in lines if line)
