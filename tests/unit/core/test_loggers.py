"""Whoever logs goes on, whatever handlers, filters and factories of the program raise."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import threading
from collections.abc import Callable, Iterator

import pytest

import concurrent.apps
import concurrent.core
import concurrent.scheduling
import concurrent.transport
from concurrent.core.loggers import get_log

ERRORS = [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit]


class Raises(logging.Handler):
    """A handler, a filter and a formatter that raises."""

    def __init__(self, kind: type[BaseException]) -> None:
        super().__init__()
        self.kind = kind

    def emit(self, record: logging.LogRecord) -> None:
        raise self.kind

    def filter(self, record: logging.LogRecord) -> bool:
        raise self.kind


def add_filter(log: logging.Logger, kind: type[BaseException]) -> None:
    log.addFilter(Raises(kind).filter)


def add_handler(log: logging.Logger, kind: type[BaseException]) -> None:
    handler = Raises(kind)
    handler.filter = lambda _record: True  # type: ignore[method-assign]
    log.addHandler(handler)


def add_handler_with_filter(log: logging.Logger, kind: type[BaseException]) -> None:
    log.addHandler(Raises(kind))


def set_factory(_log: logging.Logger, kind: type[BaseException]) -> None:
    def fail(*_args: object, **_more: object) -> logging.LogRecord:
        raise kind

    logging.setLogRecordFactory(fail)


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    name, factory = "concurrent.test_loggers", logging.getLogRecordFactory()
    yield get_log(name)
    logging.setLogRecordFactory(factory)
    logging.Logger.manager.loggerDict.pop(name)


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("spoil", [add_filter, add_handler, add_handler_with_filter, set_factory])
def test_what_code_of_the_program_raises_stays_in_the_call_and_is_told_once(
    spoil: Callable[[logging.Logger, type[BaseException]], None],
    kind: type[BaseException],
    log: logging.Logger,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(log, kind)
    done: list[int] = []

    def work() -> None:
        for number in range(3):
            log.error("number %d", number, extra={"task": number})
            done.append(number)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [0, 1, 2]
    assert capsys.readouterr().err.count("failed for a record of concurrent.test_loggers") == 1


def test_a_record_is_shown_although_the_factory_fails(
    log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    set_factory(log, ValueError)
    log.error("number %d", 3, extra={"task": 7})
    (record,) = caplog.records
    assert (record.getMessage(), record.__dict__["task"]) == ("number 3", 7)


def test_an_interrupt_of_the_main_thread_passes(log: logging.Logger) -> None:
    add_handler(log, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        log.error("interrupted")


def test_all_modules_have_such_a_logger() -> None:
    guarded = type(get_log("concurrent.core.loggers"))
    for package in (concurrent.core, concurrent.transport, concurrent.scheduling, concurrent.apps):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            log = getattr(importlib.import_module(found.name), "log", None)
            assert log is None or not isinstance(log, logging.Logger) or type(log) is guarded, found.name
