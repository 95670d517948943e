"""Control groups below the own one: when they are made, what they say, and that everything is undone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from concurrent.core.environment import Environment
from concurrent.scheduling.processes import cgroups
from concurrent.scheduling.processes.cgroups import Groups, open_groups
from concurrent.scheduling.slave import workersettings
from concurrent.scheduling.slave.taskmanager import GenericTaskManager

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="as on Linux")

MOUNT = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
LIMIT = 300 << 20


class Tree:
    """A file system with one control group that is the root of a container's, as its kernel shows it."""

    def __init__(self, root: Path, below: str = "") -> None:
        self.root = root
        self.own = root / "sys/fs/cgroup" / below
        self.own.mkdir(parents=True)
        files = {
            root / "proc/self/cgroup": f"0::/{below}",
            root / "proc/self/mountinfo": MOUNT,
            self.own / "cgroup.controllers": "cpu memory pids",
            self.own / "cgroup.events": "populated 1",
            self.own / "cgroup.procs": f"{os.getpid()}\n",
            self.own / "cgroup.subtree_control": "",
        }
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    @property
    def groups(self) -> list[str]:
        return sorted(path.name for path in self.own.iterdir() if path.is_dir())

    @property
    def subtree(self) -> str:
        return (self.own / "cgroup.subtree_control").read_text()

    def open(self) -> Groups | None:
        return open_groups(self.root, shutil.rmtree)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture
def groups(tree: Tree) -> Iterator[Groups]:
    opened = tree.open()
    assert opened is not None
    yield opened
    opened.close()


def test_the_slave_goes_into_a_leaf_and_hands_memory_down(tree: Tree, groups: Groups) -> None:
    assert groups is not None
    leaf = f"slave-{os.getpid()}"
    assert tree.groups == [leaf]
    assert (tree.own / leaf / "cgroup.procs").read_text() == str(os.getpid())
    assert tree.subtree == "+memory"


def test_a_group_has_the_limit_and_goes_with_its_worker(tree: Tree, groups: Groups) -> None:
    group = groups.new(LIMIT)
    assert group is not None
    assert group.path.name in tree.groups
    assert (group.path / "memory.max").read_text() == str(LIMIT)
    assert group.door == group.path / "cgroup.procs"
    group.close()
    assert group.path.name not in tree.groups


def test_what_the_kernel_knows_is_asked_to_end_all_of_it_and_not_to_swap(
    groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Path.mkdir

    def make_full(path: Path) -> None:
        make(path)
        for name in ("memory.oom.group", "memory.swap.max"):
            (path / name).write_text("as it was")

    monkeypatch.setattr(Path, "mkdir", make_full)
    group = groups.new(LIMIT)
    assert group is not None
    assert (group.path / "memory.oom.group").read_text() == "1"
    assert (group.path / "memory.swap.max").read_text() == "0"


@pytest.mark.parametrize(
    ("events", "peak", "taken"),
    [
        ("", "", None),
        ("low 0\nmax 7\noom 0\noom_kill 0\n", "5", None),
        ("low 0\nmax 7\noom 1\noom_kill 3\noom_group_kill 1\n", "314000000\n", 314000000),
        ("oom 1\noom_kill 1\n", "", LIMIT),
        ("oom 0\noom_kill 1\n", "5", None),  # a group above was full
    ],
)
def test_it_is_told_whether_the_kernel_has_killed(
    groups: Groups, events: str, peak: str, taken: int | None
) -> None:
    group = groups.new(LIMIT)
    assert group is not None
    (group.path / "memory.events").write_text(events)
    if peak:
        (group.path / "memory.peak").write_text(peak)
    assert group.taken_bytes() == taken


def test_a_group_that_still_has_a_process_is_removed_later(tree: Tree) -> None:
    busy = {"worker"}

    def remove(path: Path) -> None:
        if any(path.name.startswith(name) for name in busy):
            raise OSError(16, "busy")
        shutil.rmtree(path)

    groups = open_groups(tree.root, remove)
    assert groups is not None
    first = groups.new(LIMIT)
    assert first is not None
    first.close()
    assert first.path.is_dir()
    busy.clear()
    assert groups.new(LIMIT) is not None
    assert not first.path.exists()
    groups.close()


def test_all_is_as_before_at_the_end(tree: Tree) -> None:
    groups = tree.open()
    assert groups is not None
    assert groups.new(LIMIT) is not None
    groups.close()
    assert tree.groups == []
    assert tree.subtree == "-memory"
    assert (tree.own / "cgroup.procs").read_text().split() == [str(os.getpid())]


def test_a_group_with_a_process_of_somebody_else_is_not_touched(tree: Tree) -> None:
    (tree.own / "cgroup.procs").write_text(f"{os.getpid()}\n{os.getppid()}\n")
    assert tree.open() is None
    assert (tree.groups, tree.subtree) == ([], "")


def test_what_this_process_has_started_goes_with_it(tree: Tree) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        (tree.own / "cgroup.procs").write_text(f"{os.getpid()}\n{child.pid}\n")
        groups = tree.open()
        assert groups is not None
        groups.close()
        child.kill()


@pytest.mark.parametrize(("name", "text"), [("cgroup.controllers", "cpu pids"), ("cgroup.procs", "")])
def test_a_group_without_memory_or_without_this_process_is_not_touched(
    tree: Tree, name: str, text: str
) -> None:
    (tree.own / name).write_text(text)
    assert tree.open() is None
    assert tree.groups == []


def test_the_root_of_the_machine_is_not_touched(tree: Tree) -> None:
    (tree.own / "cgroup.events").unlink()  # which it has not
    assert tree.open() is None


@pytest.mark.parametrize("is_marked", [True, False])
def test_a_group_of_a_service_has_to_be_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_marked: bool
) -> None:
    tree = Tree(tmp_path, "system.slice/slave.service")
    (tree.own.parent / "cgroup.procs").write_text("")

    def attribute(path: Path, name: str) -> bytes:
        if is_marked and (path, name) == (tree.own, "trusted.delegate"):
            return b"1"
        raise OSError(61, "no such attribute")

    monkeypatch.setattr(os, "getxattr", attribute)
    groups = tree.open()
    assert (groups is not None) is is_marked
    if groups is not None:
        groups.close()


def test_it_is_tried_again_while_the_own_processes_fork(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    write, refusals = cgroups._write, [OSError(16, "busy")] * 2

    def refuse_at_first(path: Path, text: str) -> None:
        if text == "+memory" and refusals:
            raise refusals.pop()
        write(path, text)

    monkeypatch.setattr(cgroups, "_write", refuse_at_first)
    groups = tree.open()
    assert groups is not None
    assert tree.subtree == "+memory"
    groups.close()


def test_a_group_that_cannot_be_divided_is_left_as_it_was(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    write = cgroups._write

    def refuse(path: Path, text: str) -> None:
        if text == "+memory":
            raise OSError(16, "busy")
        write(path, text)

    monkeypatch.setattr(cgroups, "_write", refuse)
    assert tree.open() is None
    assert tree.groups == []
    assert (tree.own / "cgroup.procs").read_text().split() == [str(os.getpid())]


@pytest.mark.parametrize(("chosen", "asked"), [("auto", 1), ("off", 0)])
def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, chosen: str, asked: int) -> None:
    calls: list[None] = []
    monkeypatch.setattr(workersettings, "open_groups", lambda: calls.append(None))
    env = Environment(variables={}, overrides={"slave.cgroup": chosen})
    assert env[GenericTaskManager].new_groups() is None
    assert len(calls) == asked
