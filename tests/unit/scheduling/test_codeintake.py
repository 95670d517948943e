"""The code of applications as it comes to a slave: what is behind a project waits until that is unpacked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from concurrent.core.errors import ConnectionLost, InvalidArguments
from concurrent.scheduling.projects.cache import ProjectCache
from concurrent.scheduling.projects.collecting import ProjectFile
from concurrent.scheduling.projects.packing import PackedProject, pack, remove_folder
from concurrent.scheduling.slave.codeintake import CodeIntake
from concurrent.scheduling.slave.environments import OnEnvironment
from concurrent.scheduling.wire.projectblobs import EMPTY_PART, PART_BYTES, Manifest
from concurrent.scheduling.wire.requirementsblob import requirements_blob

OWNER = 7
WAIT_S = 20.0


class Loop:
    """Makes the calls of other threads when the test wants it."""

    def __init__(self) -> None:
        self._posted: SimpleQueue[Callable[[], object]] = SimpleQueue()

    def post(self, call: Callable[[], object]) -> None:
        self._posted.put(call)

    def turn(self) -> None:
        """Make the next call; waits for it."""
        self._posted.get(timeout=WAIT_S)()


class Master:
    """Notes which parts are asked for, and answers when the test wants it."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, Future[bytes]]] = []

    def call(self, _message: Any, _owner: int, index: int) -> Future[bytes]:
        future: Future[bytes] = Future()
        self.asked.append((index, future))
        return future

    def answer(self, blobs: list[bytes]) -> None:
        for index, future in self.asked:
            if not future.done():
                future.set_result(blobs[index])


class Environments:
    """Notes for whom environments are wanted; the test says what becomes of them."""

    def __init__(self, listener: OnEnvironment) -> None:
        self.listener = listener
        self.wanted: list[tuple[int, str]] = []
        self.forgotten: list[int] = []

    def want(self, owner: int, text: str) -> None:
        self.wanted.append((owner, text))
        self.listener.environment_words(owner, "makes environment 60f7")

    def forget(self, owner: int) -> None:
        self.forgotten.append(owner)

    def close(self) -> None: ...


class Slave:
    """An intake, and what came of it."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop()
        self.folder = folder
        self.defined: list[tuple[int, int, bytes]] = []
        self.failed: list[tuple[int, str]] = []
        self.waits: list[tuple[int, str]] = []
        self.used: list[int] = []
        loop: Any = self.loop
        self.intake = CodeIntake(
            loop,
            self._new_cache,
            self._new_environments,
            define=self._define,
            use=lambda owner, _launcher: self.used.append(owner),
            on_wait=lambda owner, words: self.waits.append((owner, words)),
            on_failed=lambda owner, words: self.failed.append((owner, words)),
        )
        self.master: Any = Master()

    def _new_cache(self) -> ProjectCache:
        self.cache = ProjectCache(self.folder)
        return self.cache

    def _new_environments(self, listener: OnEnvironment) -> Any:
        self.environments = Environments(listener)
        return self.environments

    def _define(self, owner: int, index: int, blob: bytes) -> None:
        self.defined.append((owner, index, blob))

    def take_waits(self) -> list[tuple[int, str]]:
        waits, self.waits = self.waits, []
        return waits

    def take(self, index: int, blob: bytes, owner: int = OWNER) -> None:
        known_count = sum(one == owner for one, _, _ in self.defined)
        self.intake.take(self.master, owner, index, blob, known_count)

    def send(self, packed: PackedProject, index: int = 0) -> None:
        """Have a project come as masters send it."""
        self.take(index, packed.blobs[0])
        for place, _ in enumerate(packed.blobs[1:], index + 1):
            self.take(place, EMPTY_PART)

    @property
    def folders(self) -> list[str]:
        return [Manifest.of(blob).folder for _, _, blob in self.defined if blob[:4] == b"\xff" * 4]


@pytest.fixture
def slave(tmp_path: Path) -> Iterator[Slave]:
    slave = Slave(tmp_path)
    yield slave
    slave.intake.close()
    remove_folder(str(tmp_path))


def project(text: str = "x", size_bytes: int = 100) -> PackedProject:
    import random

    noise = random.Random(text).randbytes(size_bytes)
    return pack([ProjectFile("noise", noise)], "/home/me/shop")


def test_code_without_a_project_is_defined_as_it_comes(slave: Slave) -> None:
    slave.take(0, b"first")
    slave.take(1, b"second")
    assert slave.defined == [(OWNER, 0, b"first"), (OWNER, 1, b"second")]
    assert slave.waits == []


def test_what_is_behind_a_project_waits_until_that_was_fetched_and_unpacked(slave: Slave) -> None:
    packed = project(size_bytes=6 * PART_BYTES)
    slave.send(packed)
    slave.take(8, b"behind")
    slave.take(0, b"of another", owner=8)
    slave.loop.turn()
    assert [index for index, _ in slave.master.asked] == [1, 2, 3, 4]
    assert slave.defined == [(8, 0, b"of another")]
    assert slave.take_waits() == [(OWNER, "fetches its project of 6 MiB")]
    for _ in range(2):
        slave.master.answer(packed.blobs)
    assert [index for index, _ in slave.master.asked] == list(range(1, len(packed.blobs)))
    slave.loop.turn()
    assert [index for owner, index, _ in slave.defined if owner == OWNER] == list(range(9))
    assert slave.defined[-1] == (OWNER, 8, b"behind")
    assert slave.waits == [(OWNER, "")]
    assert Path(slave.folders[0], "noise").stat().st_size == 6 * PART_BYTES


def test_nothing_is_asked_for_that_is_unpacked_here(slave: Slave, tmp_path: Path) -> None:
    packed = project()
    ProjectCache(tmp_path).unpack(packed.manifest, [blob[4:] for blob in packed.blobs[1:]])
    for owner in (OWNER, 8):
        slave.take(0, packed.blobs[0], owner=owner)
        slave.take(1, EMPTY_PART, owner=owner)
        slave.loop.turn()
    assert slave.master.asked == []
    assert slave.waits == []
    assert len(set(slave.folders)) == 1


def test_a_second_project_of_a_job_is_fetched_behind_the_first(slave: Slave) -> None:
    first, second = project("first"), project("second")
    slave.send(first)
    slave.take(2, b"between")
    slave.send(second, 3)
    for packed, start in ((first, 0), (second, 3)):
        slave.loop.turn()
        slave.master.answer([b""] * start + list(packed.blobs))
        slave.loop.turn()
    assert [index for _, index, _ in slave.defined] == [0, 1, 2, 3, 4]
    assert len(set(slave.folders)) == 2


def test_what_cannot_be_unpacked_is_said_and_tried_again_when_there_are_tasks(slave: Slave) -> None:
    packed = project()
    slave.send(packed)
    slave.loop.turn()
    slave.master.answer(list(project("another").blobs))
    slave.loop.turn()
    ((owner, words),) = slave.failed
    assert owner == OWNER
    assert "it has another hash" in words
    assert slave.defined == []
    slave.intake.look_again(OWNER)
    slave.intake.look_again(OWNER)
    slave.loop.turn()
    slave.master.answer(list(packed.blobs))
    slave.loop.turn()
    assert [index for _, index, _ in slave.defined] == [0, 1]
    assert slave.waits[-1] == (OWNER, "")


def test_what_a_project_is_called_does_not_make_the_words_long(slave: Slave) -> None:
    """Words that are longer than a message may be would end the session of the slave."""
    slave.send(pack([ProjectFile("\x1b" * 10_000 + "/..", b"")], "/"))
    slave.loop.turn()
    for _, future in slave.master.asked:
        future.set_exception(ConnectionLost("x" * 100_000))
    ((_, words),) = slave.failed
    assert len(words) < 1000


def test_a_part_that_does_not_come_fails_it(slave: Slave) -> None:
    slave.send(project(size_bytes=2 * PART_BYTES))
    slave.loop.turn()
    for _, future in slave.master.asked:
        future.set_exception(ConnectionLost("gone"))
    assert slave.failed == [(OWNER, "cannot have its project: gone")]


def test_who_has_left_is_forgotten_whatever_comes_still(slave: Slave) -> None:
    packed = project()
    slave.send(packed)
    slave.loop.turn()
    slave.intake.forget(OWNER)
    slave.master.answer(list(packed.blobs))
    slave.loop.turn()
    assert slave.defined == [] == slave.failed
    slave.send(packed)
    slave.intake.left()
    slave.loop.turn()
    assert slave.defined == [] == slave.failed


def test_the_project_of_who_has_left_may_go_from_the_cache(slave: Slave, tmp_path: Path) -> None:
    def unpack(packed: PackedProject) -> None:
        """Do as another slave does, which wants no room to be taken."""
        other = ProjectCache(tmp_path, bytes_max=0)
        other.unpack(packed.manifest, [blob[4:] for blob in packed.blobs[1:]])
        other.close()

    def is_kept() -> bool:
        slave.take(0, project("newer").blobs[0], owner=9)  # so that all before it is dealt with
        slave.loop.turn()
        slave.intake.forget(9)
        unpack(project("another"))
        return Path(slave.folders[0]).exists()

    unpack(project())
    for owner in (OWNER, 8):
        slave.take(0, project().blobs[0], owner=owner)
        slave.loop.turn()
    slave.intake.forget(OWNER)
    assert is_kept()  # the other one uses it
    slave.intake.forget(8)
    assert not is_kept()
    assert slave.environments.forgotten == [OWNER, 9, 8, 9]


@pytest.mark.parametrize("has_left", ["the owner", "the master"])
def test_a_project_that_nobody_waits_for_any_more_is_not_held(
    slave: Slave, tmp_path: Path, has_left: str
) -> None:
    packed = project(size_bytes=1000)
    slave.send(packed)
    slave.loop.turn()
    slave.master.answer(list(packed.blobs))  # it is unpacked from now on
    if has_left == "the owner":
        slave.intake.forget(OWNER)
    else:
        slave.intake.left()
    slave.loop.turn()
    slave.take(0, project("later").blobs[0], owner=8)
    slave.loop.turn()  # the thread has done all before it
    later = project("another", size_bytes=1000)
    ProjectCache(tmp_path, bytes_max=1500).unpack(later.manifest, [blob[4:] for blob in later.blobs[1:]])
    assert ProjectCache(tmp_path).find(packed.manifest) == ""


def test_what_a_master_sends_again_when_it_is_back_is_not_looked_at_twice(slave: Slave) -> None:
    packed = project()
    slave.send(packed)
    slave.loop.turn()
    slave.master.answer(list(packed.blobs))
    slave.loop.turn()
    slave.intake.left()
    slave.send(packed)
    assert slave.take_waits()[-1] == (OWNER, "")
    assert len(slave.master.asked) == 1


@pytest.mark.parametrize("parts", [0, -1, 100_000])
def test_a_project_has_some_parts(slave: Slave, parts: int) -> None:
    with pytest.raises(InvalidArguments, match="from 1 to 4096 parts"):
        slave.take(0, project().manifest._replace(parts=parts).blob())


def test_what_is_behind_requirements_waits_for_their_environment(slave: Slave) -> None:
    blob = requirements_blob("grid_tools==2.1.0\n")
    slave.take(0, blob)
    slave.take(1, b"behind")
    assert slave.environments.wanted == [(OWNER, "grid_tools==2.1.0\n")]
    assert slave.take_waits() == [(OWNER, "makes environment 60f7")]
    launcher: Any = None
    slave.intake.environment_ready(99, launcher)
    assert not slave.defined
    slave.intake.environment_ready(OWNER, launcher)
    assert slave.defined == [(OWNER, 0, blob), (OWNER, 1, b"behind")]
    assert slave.take_waits() == [(OWNER, "")]
    slave.intake.environment_ready(OWNER, launcher)
    assert len(slave.defined) == 2
    assert slave.used == [99, OWNER, OWNER]


def test_an_environment_that_fails_is_wanted_again_when_there_are_tasks(slave: Slave) -> None:
    slave.take(0, requirements_blob("grid_tools\n"))
    slave.intake.environment_failed(OWNER, "no such thing")
    assert slave.failed == [(OWNER, "no such thing")]
    slave.intake.look_again(OWNER)
    assert len(slave.environments.wanted) == 2
    slave.intake.environment_failed(99, "nobody waits")
    assert slave.failed == [(OWNER, "no such thing")]
