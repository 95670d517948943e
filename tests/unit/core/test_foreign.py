"""What code of others raises is its own failure, but for a Ctrl-C of the user."""

from __future__ import annotations

import asyncio
import signal

import pytest

from concurrent.core.component import Component, ComponentManager
from concurrent.core.environment import Environment
from concurrent.core.errors import ComponentError, PluginError
from concurrent.core.foreign import calling_foreign_code, shown

RAISED = [
    ValueError("a bug"),
    SystemExit(7),
    SystemExit(),
    KeyboardInterrupt(),
    GeneratorExit(),
    asyncio.CancelledError(),
    BaseException("bare"),
]


def called():
    """Return the context in which code of others is called."""
    return calling_foreign_code(lambda error: PluginError(f"failed: {type(error).__name__}"))


@pytest.mark.parametrize("error", RAISED, ids=repr)
def test_whatever_is_raised_becomes_an_error_of_the_framework(error) -> None:
    with pytest.raises(PluginError, match=f"failed: {type(error).__name__}") as caught, called():
        raise error
    assert caught.value.__cause__ is error


def test_a_ctrl_c_ends_the_program() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), called():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_handler_that_the_code_installs_stays() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with called():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("error", RAISED, ids=repr)
def test_an_initialiser_may_raise_what_it_likes(error) -> None:
    class Moody(Component):
        def __init__(self) -> None:
            raise error

    manager = ComponentManager()
    manager.register(Moody)
    with pytest.raises(ComponentError, match=rf"Moody cannot be made: .*raised {type(error).__name__}.*py:\d+"):
        manager[Moody]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("import sys\nsys.exit(7)\n", 2, "sys.exit(7)"),
        ("raise KeyboardInterrupt\n", 1, "KeyboardInterrupt"),
        ("import asyncio\n\nraise asyncio.CancelledError\n", 3, "CancelledError"),
        ("import argparse\np = argparse.ArgumentParser()\np.parse_args(['x'])\n", 3, "sys.exit(2)"),
    ],
)
def test_a_script_among_the_plugins_ends_nothing(tmp_path, monkeypatch, text, line, words) -> None:
    file = tmp_path / "some_script.py"
    file.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    environment = Environment(variables={})
    for source, place in ((file, f"(line {line})"), ("some_script", f"some_script.py:{line})")):
        with pytest.raises(PluginError) as caught:
            environment.load_plugin(source)
        assert place in str(caught.value)
        assert words in str(caught.value)
    assert environment.plugins == []


def test_an_error_that_cannot_say_what_it_is_is_shown_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise SystemExit

    assert shown(Mute()) == "Mute: its message cannot be shown: __str__ raised"
    assert shown(Mute.__base__()) == "Exception"
