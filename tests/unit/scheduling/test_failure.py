"""Failures on their way home."""

from __future__ import annotations

import builtins
import errno
import pickle
import re
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest

from concurrent.core.errors import TaskFailed, TaskTimeout, UnpicklableResult, UnpicklableValue, WorkerDied
from concurrent.scheduling.owner.results import Outcome, load_outcome
from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.scheduling.tasks.outcome import DIED, FAILED, TIMED_OUT, Ended
from concurrent.scheduling.wire.failure import dumps_failure, failure_text, loads_failure, unpicklable
from concurrent.transport.frames.frames import Frame


@pytest.mark.parametrize("dumps", [pickle.dumps, msgpack.packb])
def test_a_failure_made_elsewhere_needs_no_more_than_type_and_message(dumps: Callable[[Any], bytes]) -> None:
    error = loads_failure(dumps({"type": "RangeError", "message": "too far"}), CodeBook())
    assert isinstance(error, TaskFailed)
    assert "RangeError: too far" in str(error)


@pytest.mark.parametrize(
    "payload",
    [
        b"no pickle",
        b"",
        pickle.dumps(None),
        pickle.dumps({}),
        pickle.dumps([1]),
        msgpack.packb(None),
        msgpack.packb({}),
        msgpack.packb({"type": 1}),
        b"\xc1",
    ],
)
def test_a_failure_that_cannot_be_read_is_a_failure_all_the_same(payload: bytes) -> None:
    result, error = load_outcome(CodeBook(), Outcome("task", FAILED, payload))
    assert result is None
    assert isinstance(error, TaskFailed)
    assert repr(payload) in str(error)


class Rebuildable(Exception):
    def __init__(self, text: str, detail: int) -> None:
        super().__init__(text, detail)
        self.detail = detail


class WithCode(Exception):
    """Cannot be made from its ``args``, as many that people write."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class WithSlots(Exception):
    __slots__ = ("code",)

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class OfFile(OSError):
    def __init__(self, *, path: str) -> None:
        super().__init__(2, "gone", path)
        self.is_mine = True


class NotRebuildable(Exception):
    def __new__(cls, text: str, *, needed: int) -> NotRebuildable:
        return super().__new__(cls, text)

    def __init__(self, text: str, *, needed: int) -> None:
        super().__init__(text)


class WithoutMessage(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no message")


class Deceiver(Exception):
    """Pickles as something else."""

    def __reduce__(self) -> tuple[Any, ...]:
        return str, ("not an exception",)


def travelled(error: BaseException, output: str = "") -> BaseException:
    """Return what the owner gets of an error that is raised two calls deep."""
    book = CodeBook()

    def inner() -> None:
        raise error

    try:
        inner()
    except BaseException as caught:  # boundary: as at a worker, what is raised is what is tested
        return loads_failure(dumps_failure(caught, book, output), book)
    raise AssertionError


@pytest.mark.parametrize(
    "error", [ValueError("wrong"), KeyError("key"), Rebuildable("text", 7), SystemExit(3), OSError(2, "gone")]
)
def test_an_exception_that_can_be_rebuilt_arrives_as_itself(error: BaseException) -> None:
    back = travelled(error)
    assert type(back) is type(error)
    assert (back.args, vars(back)) == (error.args, vars(error))


def test_an_exception_whose_class_takes_other_arguments_arrives_as_it_is() -> None:
    back = travelled(WithCode(7, "wrong"))
    assert isinstance(back, WithCode)
    assert (back.code, str(back), back.args) == (7, "wrong", ("wrong",))
    assert isinstance(back.__cause__, TaskFailed)
    of_file = travelled(OfFile(path="there"))
    assert isinstance(of_file, OfFile)
    assert (of_file.errno, of_file.filename, of_file.is_mine) == (2, "there", True)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="this Python has no groups of exceptions")
def test_a_group_has_such_exceptions_as_they_are() -> None:
    group = getattr(builtins, "ExceptionGroup")("some", [WithCode(7, "wrong"), ValueError("text")])  # noqa: B009
    back: Any = travelled(group)
    assert type(back) is type(group)
    first, second = back.exceptions
    assert (type(first), first.code, str(first)) == (WithCode, 7, "wrong")
    assert (type(second), str(second)) == (ValueError, "text")


def test_the_remote_traceback_and_output_are_its_cause() -> None:
    cause = travelled(ValueError("wrong"), output="printed before").__cause__
    assert isinstance(cause, TaskFailed)
    assert "in inner" in cause.traceback
    assert cause.traceback.endswith("ValueError: wrong\n")
    assert cause.evidence == ("printed before",)


@pytest.mark.parametrize(
    "error", [NotRebuildable("text", needed=1), WithSlots(7, "text"), WithoutMessage(), Deceiver("lie")]
)
def test_an_exception_that_cannot_be_rebuilt_arrives_as_task_failed(error: BaseException) -> None:
    back = travelled(error)
    if isinstance(error, WithoutMessage):
        assert type(back) is WithoutMessage
        back = back.__cause__ or back
    assert isinstance(back, TaskFailed)
    assert back.thing == type(error).__qualname__
    assert "in inner" in back.traceback
    assert back.evidence == ()


def test_an_error_tells_on_which_slave_and_worker_it_was_raised() -> None:
    back = loads_failure(dumps_failure(ValueError("wrong"), CodeBook(), "", "slave-a, worker 4711"), CodeBook())
    assert str(back) == "wrong"
    assert isinstance(back.__cause__, TaskFailed)
    first_line = back.__cause__.traceback.splitlines()[0]
    assert re.fullmatch(r"On slave-a, worker 4711, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+:", first_line)


def test_a_module_that_is_missing_on_a_slave_names_the_slave() -> None:
    error = ModuleNotFoundError("No module named 'sums'", name="sums")
    back = loads_failure(dumps_failure(error, CodeBook(), "", "slave-a, worker 4711"), CodeBook())
    assert isinstance(back, ModuleNotFoundError)
    assert str(back).startswith("No module named 'sums' (on slave-a, worker 4711, ")
    assert back.name == "sums"


@pytest.mark.parametrize("is_here", [True, False])
def test_a_file_that_is_missing_on_a_slave_and_is_here_names_the_slave_and_the_remedy(
    tmp_path: Path, is_here: bool
) -> None:
    file = tmp_path / "prices.csv"
    if is_here:
        file.touch()
    error = FileNotFoundError(errno.ENOENT, "No such file or directory", str(file))
    back = loads_failure(dumps_failure(error, CodeBook(), "", "slave-a, worker 4711"), CodeBook())
    assert isinstance(back, FileNotFoundError)
    assert (back.errno, back.filename) == (errno.ENOENT, str(file))
    assert ("(on slave-a, worker 4711, " in str(back)) is is_here
    assert ("it is on this machine: Project(include=...) has files go along" in str(back)) is is_here


def test_the_chain_of_causes_is_in_the_traceback() -> None:
    def raise_chained() -> BaseException:
        try:
            raise KeyError("first")
        except KeyError as first:
            error = ValueError("second")
            error.__cause__ = first
            return error

    cause = travelled(raise_chained()).__cause__
    assert isinstance(cause, TaskFailed)
    assert "KeyError: 'first'" in cause.traceback


def test_long_messages_and_large_exceptions_are_cut() -> None:
    back = travelled(ValueError("x" * 2_000_000))
    assert isinstance(back, TaskFailed)
    assert len(str(back)) < 10_000
    assert len(back.traceback) < 40_000


def test_a_failure_of_unknown_code_still_tells_all() -> None:
    payload = dumps_failure(ValueError("wrong"), None, "")
    back = loads_failure(payload, None)
    assert isinstance(back, TaskFailed)
    assert str(back) == "ValueError: wrong"


def test_the_words_of_a_failure_are_read_without_unpickling_anything() -> None:
    opened: list[str] = []
    is_watching = True

    def watch(event: str, _arguments: Any) -> None:
        if is_watching and event.startswith("pickle."):
            opened.append(event)

    error = ValueError("odd \udc80")
    payload = dumps_failure(error, CodeBook(), "printed", "slave-a")
    sys.addaudithook(watch)
    text = failure_text(Frame(payload))
    is_watching = False
    assert text is not None
    assert (text.type, text.output) == ("ValueError", "printed")
    assert "odd \udc80" in text.message
    assert not opened


@pytest.mark.parametrize("payload", [b"", b"\xc1", pickle.dumps({"type": "A"}), msgpack.packb([1])])
def test_what_has_no_words_that_can_be_read_has_none(payload: bytes) -> None:
    assert failure_text(payload) is None


def test_a_failure_whose_exception_is_unknown_here_still_tells_all() -> None:
    failure = msgpack.unpackb(dumps_failure(ValueError("wrong"), CodeBook(), ""))
    failure["exception"] = b"cno_such_module\nthing\n."
    back = loads_failure(msgpack.packb(failure), CodeBook())
    assert str(back) == "ValueError: wrong"


def test_an_unpicklable_result_names_type_and_reason() -> None:
    error = travelled(unpicklable({1}, TypeError("no locks")))
    assert isinstance(error, UnpicklableResult)
    assert "type set cannot be pickled: no locks" in str(error)
    assert error.remedy


def test_an_unpicklable_result_is_told_once_with_one_remedy() -> None:
    with pytest.raises(UnpicklableValue) as raised:
        CodeBook().dumps_payload([1, threading.Lock()])
    error = travelled(unpicklable([], raised.value))
    assert error.message == (
        "the task finished, but its result of type list cannot be pickled: "
        "in it [1], of type lock: cannot pickle '_thread.lock' object"
    )
    assert str(error) == f"{error.message}. {str(error.remedy).removesuffix('.')}"
    assert str(error.remedy).startswith("Return plain data")


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, ValueError])
def test_an_error_whose_text_cannot_be_had_or_that_ends_its_thread_when_rebuilt_travels(
    kind: type[BaseException],
) -> None:
    class Ending(Exception):
        def __str__(self) -> str:
            raise kind

        def __reduce__(self) -> tuple[Any, ...]:
            raise kind

    back = travelled(Ending("text"))
    assert isinstance(back, TaskFailed)
    assert "Ending: its message cannot be shown" in str(back)


def test_what_prints_an_error_prints_its_remote_traceback_and_output_first() -> None:
    printed = "".join(traceback.format_exception(travelled(Rebuildable("text", 7), "printed by the task")))
    lines = printed.splitlines()
    raising = next(number for number, line in enumerate(lines) if line.strip() == "raise error")
    assert raising < lines.index("printed by the task") < len(lines) - 1
    assert lines[-1].endswith("Rebuildable: ('text', 7)")


@pytest.mark.parametrize(
    ("ended", "remedy"),
    [
        (Ended("it ran for more than its limit of 1 s", "slave-a, worker 7"), "see in its output"),
        (
            Ended("its deadline of 1 s has passed while it waited for a slave"),
            "a later deadline_s, or more workers",
        ),
    ],
)
def test_whose_time_is_over_is_told_what_helps_where_that_was(ended: Ended, remedy: str) -> None:
    _, error = load_outcome(CodeBook(), Outcome(None, TIMED_OUT, ended.payload()))
    assert isinstance(error, TaskTimeout)
    assert remedy in str(error)


def test_what_prints_the_death_of_workers_prints_the_evidence_of_each() -> None:
    book = CodeBook()
    _, error = load_outcome(book, Outcome(None, DIED, b"the first way\0the second way"))
    assert isinstance(error, WorkerDied)
    printed = "".join(traceback.format_exception(error))
    assert "the first way\nthe second way" in printed
    assert printed.index("the first way") < printed.index("2 workers died of the task")


class _Secretive(Exception):
    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(name)


class _OddText(Exception):
    def __str__(self) -> str:
        return type("Odd", (str,), {"__getitem__": None, "__len__": None, "__reduce_ex__": None})("odd")


@pytest.mark.parametrize(("kind", "text"), [(_Secretive, "_Secretive"), (_OddText, "_OddText: odd")])
def test_an_error_with_hostile_code_of_its_own_is_a_failure_like_any_other(
    kind: type[BaseException], text: str
) -> None:
    try:
        raise kind
    except kind as error:
        loaded = loads_failure(dumps_failure(error, None, "output", "here"), None)
    assert type(loaded) is TaskFailed
    assert str(loaded).startswith(text)
    assert "raise kind" in loaded.traceback
