"""The environments of a slave: who waits for which, what becomes of one that fails, and when one is let go."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from concurrent.scheduling.processes import environments
from concurrent.scheduling.processes.environments import environment_folder, hold, name_of, trim
from concurrent.scheduling.slave.environments import (
    AGAIN_S,
    ENVIRONMENTS_MAX,
    LET_GO_S,
    LOOKS_MAX,
    EnvironmentRules,
    Environments,
)

TEXT = "grid_tools==2.1.0\n"
TIMEOUT_S = 60.0


class Timer:
    def __init__(self, call: Callable[[], object]) -> None:
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        self.call = None


class Loop:
    def __init__(self) -> None:
        self.timers: list[tuple[float, Timer]] = []

    now = 7.0

    def time(self) -> float:
        return self.now

    def call_later(self, delay_s: float, fn: Callable[..., object], *args: Any) -> Timer:
        timer = Timer(lambda: fn(*args))
        self.timers.append((delay_s, timer))
        return timer

    def wait(self, delay_s: float) -> None:
        due = [timer for delay, timer in self.timers if delay == delay_s]
        self.timers = [one for one in self.timers if one[0] != delay_s]
        for timer in due:
            if timer.call is not None:
                timer.call()


class Child:
    pid = 4711

    def __init__(self, on_exit: Callable[..., object]) -> None:
        self.on_exit = on_exit
        self.is_killed = False

    def kill(self) -> None:
        self.is_killed = True

    def ends(self, code: int | None = 0, tail: str = "", signal: int | None = None) -> None:
        self.on_exit(self.pid, signal, code, tail)


class Launcher:
    """Notes what it shall start, and what for."""

    python = None

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.beside_of: list[str] = []
        self.is_retired = False

    def launch(self, entry: str, _sockets: Any, args: Any, *, output: Any, on_exit: Any) -> Child:
        assert entry.endswith("environments:make")
        self.children.append(Child(on_exit))
        return self.children[-1]

    def beside(self, python: Any) -> Launcher:
        self.beside_of.append(python.executable)
        launcher = Launcher()
        launcher.retire = lambda: setattr(self, "is_retired", True)  # type: ignore[attr-defined]
        return launcher


class Slave:
    """The environments, and what they say."""

    def __init__(self, folder: Path, *, is_allowed: bool = True) -> None:
        self.loop, self.launcher = Loop(), Launcher()
        self.said: list[tuple[Any, ...]] = []
        rules = EnvironmentRules(is_allowed, folder, 1 << 30, TIMEOUT_S)
        self.environments = Environments(self.loop, self.launcher, rules, self)  # type: ignore[arg-type]
        self.folder = environment_folder(folder)

    def environment_ready(self, owner: int, launcher: Any) -> None:
        self.said.append(("ready", owner))

    def environment_failed(self, owner: int, words: str) -> None:
        self.said.append(("failed", owner, words))

    def environment_words(self, owner: int, words: str) -> None:
        self.said.append(("waits", owner))

    def take(self) -> list[tuple[Any, ...]]:
        said, self.said = self.said, []
        return said

    def make(self, text: str = TEXT) -> str:
        """Do what the process does that makes one."""
        import sys

        name = name_of(text, sys.executable)
        (self.folder / name / "bin").mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.ready").write_text(json.dumps(["/somewhere"]))
        return name


@pytest.fixture
def slave(tmp_path: Path) -> Slave:
    return Slave(tmp_path)


def test_one_is_made_once_for_all_who_want_it(slave: Slave) -> None:
    slave.environments.want(1, TEXT)
    slave.environments.want(2, TEXT)
    assert slave.take() == [("waits", 1), ("waits", 2)]
    (child,) = slave.launcher.children
    (line,) = slave.environments.lines()
    assert "process 4711" in line
    name = slave.make()
    child.ends()
    assert slave.take() == [("ready", 1), ("ready", 2)]
    assert slave.launcher.beside_of == [str(slave.folder / name / "bin" / "python")]
    slave.environments.want(3, TEXT)
    assert slave.take() == [("ready", 3)]
    assert not slave.environments.lines()


def test_one_that_is_there_already_needs_no_process(slave: Slave) -> None:
    slave.make()
    slave.environments.want(1, TEXT)
    assert slave.take() == [("ready", 1)]
    assert not slave.launcher.children


def test_the_end_of_what_pip_says_is_told_and_it_is_tried_again_later_if_it_is_wanted(slave: Slave) -> None:
    slave.environments.want(1, TEXT)
    slave.launcher.children[0].ends(1, "Looking in links\n\nERROR: No matching distribution for grid_tools\n")
    words = (
        "cannot make the environment of its requirements: "
        "Looking in links | ERROR: No matching distribution for grid_tools"
    )
    assert slave.take() == [("waits", 1), ("failed", 1, words)]
    slave.environments.want(2, TEXT)  # so soon it is not tried once more
    assert slave.take() == [("failed", 2, words)]
    assert len(slave.launcher.children) == 1
    slave.loop.now += AGAIN_S
    slave.environments.want(1, TEXT)
    assert len(slave.launcher.children) == 2


def test_one_that_takes_too_long_is_given_up(slave: Slave) -> None:
    slave.environments.want(1, TEXT)
    slave.loop.wait(TIMEOUT_S)
    (child,) = slave.launcher.children
    assert child.is_killed
    child.ends(None, "Collecting", 9)
    assert "not made in 60 s" in slave.take()[-1][2]


def test_a_process_that_is_killed_says_so(slave: Slave) -> None:
    slave.environments.want(1, TEXT)
    slave.launcher.children[0].ends(None, "", 9)
    assert "its process ended with 9" in slave.take()[-1][2]


def test_one_that_others_remove_again_and_again_is_not_made_for_ever(slave: Slave) -> None:
    slave.environments.want(1, TEXT)
    for index in range(LOOKS_MAX):
        slave.launcher.children[index].ends()
    assert len(slave.launcher.children) == LOOKS_MAX
    assert "environment_cache_max" in slave.take()[-1][2]


@pytest.mark.parametrize("text", ["", "7", "null", "no JSON", "\xff"])
def test_one_that_does_not_say_what_it_imports_from_is_made_anew(
    slave: Slave, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    name = slave.make()
    (slave.folder / f"{name}.ready").write_text(text, encoding="latin-1")
    slave.environments.want(1, TEXT)
    assert slave.take() == [("waits", 1)]
    monkeypatch.setattr(environments, "_fill", lambda _text, _folder, _name: slave.make())
    monkeypatch.setattr("os.nice", lambda _: None)
    environments.make(TEXT, str(slave.folder), name, 1 << 30)
    slave.launcher.children[0].ends()
    assert slave.take() == [("ready", 1)]
    slave.environments.close()


def test_what_nobody_waits_for_is_not_made_to_its_end(slave: Slave) -> None:
    slave.environments.want(1, TEXT)
    slave.environments.want(2, TEXT)
    (child,) = slave.launcher.children
    slave.environments.forget(1)
    assert not child.is_killed
    slave.environments.forget(2)
    assert child.is_killed
    slave.take()
    child.ends(None, "", 9)
    assert not slave.take()


def test_the_interpreter_of_one_that_is_not_used_ends_after_a_while_unless_it_is_wanted_again(
    slave: Slave,
) -> None:
    name = slave.make()
    slave.environments.want(1, TEXT)
    slave.environments.forget(1)
    slave.environments.want(2, TEXT)
    slave.loop.wait(LET_GO_S)
    assert not slave.launcher.is_retired
    slave.environments.forget(2)
    assert not trim(slave.folder, 0)  # it is held
    slave.loop.wait(LET_GO_S)
    assert slave.launcher.is_retired
    (slave.folder / name / "file").write_text("text")
    assert trim(slave.folder, 0) == [name]


def test_a_slave_has_so_many_at_once_and_lets_unused_ones_go_for_others(slave: Slave) -> None:
    slave.make()
    slave.environments.want(1, TEXT)
    for owner in range(2, ENVIRONMENTS_MAX + 1):
        slave.environments.want(owner, f"tools=={owner}")
    slave.take()
    slave.environments.want(99, "one more")
    ((_, owner, words),) = slave.take()
    assert (owner, words) == (99, "this slave has 32 environments of other applications already")
    slave.environments.want(98, TEXT)
    assert slave.take() == [("ready", 98)]
    for owner in (1, 98):
        slave.environments.forget(owner)
    slave.environments.want(99, "one more")
    assert slave.launcher.is_retired
    assert slave.take() == [("waits", 99)]
    slave.environments.close()


def test_a_slave_that_makes_none_takes_no_such_tasks(tmp_path: Path) -> None:
    slave = Slave(tmp_path, is_allowed=False)
    slave.environments.want(1, TEXT)
    assert slave.take()[0][2] == "this slave makes no environments ([slave] environments = no)"


def test_where_there_is_no_place_for_it_that_is_why(tmp_path: Path) -> None:
    slave = Slave(tmp_path / "one")
    os.rmdir(slave.folder)
    (tmp_path / "one" / slave.folder.relative_to(tmp_path / "one")).write_text("a file")
    slave.environments.want(1, TEXT)
    assert "there is no folder for environments" in slave.take()[0][2]


def test_the_end_lets_go_of_all(slave: Slave) -> None:
    slave.make()
    slave.environments.want(1, TEXT)
    slave.environments.want(2, "other==1\n")
    slave.environments.close()
    assert not [timer for _, timer in slave.loop.timers if timer.call is not None]
    (slave.folder / name_of(TEXT, "x")).mkdir()


def test_what_is_left_of_one_whose_making_was_killed_goes_when_the_next_one_is_made(
    slave: Slave, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(_text: str, folder: Path, name: str) -> None:
        (folder / f"{name}.ready").write_text("[]")

    whole = slave.make()
    (slave.folder / f"{whole}.making").touch()
    (slave.folder / "half" / "lib").mkdir(parents=True)
    (slave.folder / "half.tmp").mkdir()
    (slave.folder / "half.making").touch()
    nices: list[int] = []
    monkeypatch.setattr(environments, "_fill", fill)
    monkeypatch.setattr("os.nice", nices.append)
    environments.make(TEXT, str(slave.folder), "next", 1 << 30)
    assert not (slave.folder / "half").exists()
    assert not (slave.folder / "half.tmp").exists()
    assert hold_and_close(slave.folder, whole)
    assert nices[0] > 0  # tasks come first


def hold_and_close(folder: Path, name: str) -> bool:
    held = hold(folder, name)
    if held is not None:
        os.close(held.lock)
    return held is not None


def test_the_longest_unused_go_until_there_is_room(tmp_path: Path) -> None:
    folder = environment_folder(tmp_path)
    for age, name in enumerate(["newest", "older", "oldest"]):
        (folder / name).mkdir()
        (folder / name / "file").write_bytes(bytes(100))
        (folder / f"{name}.ready").write_text("[]")
        (folder / f"{name}.use").touch()
        os.utime(folder / f"{name}.use", (1000 - age, 1000 - age))
    held = hold(folder, "oldest")
    assert held is not None
    os.utime(folder / "oldest.use", (1, 1))
    assert trim(folder, 250, keep="newest") == ["older"]
    os.close(held.lock)
    assert trim(folder, 250) == []
    assert trim(folder, 150) == ["oldest"]
    assert hold(folder, "oldest") is None
    assert hold(folder, "nothing") is None
