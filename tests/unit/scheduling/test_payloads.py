"""The master's payloads that are on disk."""

import errno
import gc
import tempfile
from pathlib import Path

import pytest

from concurrent.scheduling.store.payloads import SEGMENT_BYTES, PayloadStore, StoredPayload
from concurrent.transport.frames.frames import Frame
from tests.openfiles import open_files

DATA = bytes(range(256)) * 16


@pytest.fixture
def store(tmp_path: Path):
    store = PayloadStore(tmp_path)
    yield store
    store.close()


def open_files_in(folder: Path) -> int:
    return sum(str(folder) in link for link in open_files().values())


def test_a_payload_comes_back_as_it_was_and_counts_until_it_is_forgotten(store) -> None:
    stored = [store.put(DATA), store.put(Frame(DATA * 20))]
    assert all(isinstance(one, StoredPayload) for one in stored)
    assert [len(one) for one in stored] == [len(DATA), len(DATA) * 20]
    assert store.stored_bytes == len(DATA) * 21
    assert store.load(stored[0]) == DATA
    assert store.load(stored[1]) == DATA * 20
    stored.clear()
    assert store.stored_bytes == 0


def test_small_payloads_stay_in_memory(store) -> None:
    assert store.put(b"small") == b"small"
    assert store.load(b"small") == b"small"
    assert store.stored_bytes == 0


def test_a_file_is_closed_when_its_last_payload_is_forgotten(store, tmp_path: Path) -> None:
    big = bytes(SEGMENT_BYTES // 2)
    first = [store.put(big), store.put(big)]
    second = store.put(DATA)
    assert open_files_in(tmp_path) == 2
    first.clear()
    gc.collect()
    assert open_files_in(tmp_path) == 1
    assert store.load(second) == DATA


def test_the_space_of_an_emptied_file_is_written_again(store) -> None:
    for _ in range(3):
        stored = store.put(DATA)
        assert store.load(stored) == DATA
        del stored
    assert store.stored_bytes == 0


def test_nothing_is_left_in_the_folder(store, tmp_path: Path) -> None:
    stored = store.put(DATA)
    assert list(tmp_path.iterdir()) == []
    assert store.load(stored) == DATA


def test_payloads_stay_in_memory_when_the_disk_can_not_take_them(store, monkeypatch) -> None:
    def no_space(**_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_space)
    assert store.put(DATA) == DATA
    assert store.has_failed
    monkeypatch.undo()
    assert isinstance(store.put(DATA), StoredPayload)
    assert not store.has_failed


class FullDisk:
    """In place of a file: the disk is full while a test says so."""

    is_full = True

    def __init__(self, file) -> None:
        self._file = file

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, data):
        if FullDisk.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data)


def test_on_a_full_disk_payloads_stay_in_memory_and_a_probe_finds_out_when_there_is_room(
    store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_file = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: FullDisk(make_file(**options)))
    assert store.put(DATA) is DATA
    assert store.has_failed
    assert "No space left" in store.problem
    assert store.place == str(tmp_path)
    store.probe()
    assert store.has_failed
    monkeypatch.setattr(FullDisk, "is_full", False)
    store.probe()
    assert not store.has_failed
    assert store.load(store.put(DATA)) == DATA
