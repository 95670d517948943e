"""The code of the owners at the master: what is kept of each, and of all together."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.core.errors import InvalidArguments, LimitExceeded
from concurrent.scheduling.master import codeshelf
from concurrent.scheduling.master.codeshelf import CodeShelf, check_blob
from concurrent.scheduling.wire.columns import BLOB_BYTES
from concurrent.scheduling.wire.messages import to_slave
from concurrent.scheduling.wire.projectblobs import EMPTY_PART, MANIFEST, PART, Manifest
from concurrent.scheduling.wire.requirementsblob import TEXT_BYTES_MAX, requirements_blob


class Courier:
    """Notes what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []

    def cast(self, *words: Any) -> None:
        self.sent.append(words)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> CodeShelf:
    monkeypatch.setattr(codeshelf, "CODE_BYTES_MAX", 20 * BLOB_BYTES)
    monkeypatch.setattr(codeshelf, "TOTAL_BYTES_MAX", 30 * BLOB_BYTES)
    monkeypatch.setattr(codeshelf, "SHARE_BYTES", 5 * BLOB_BYTES)
    courier: Any = Courier()
    shelf = CodeShelf(courier)
    for owner in (1, 2, 3):
        shelf.join_owner(owner)
    return shelf


def test_blobs_come_in_order(shelf: CodeShelf) -> None:
    shelf.define(1, 0, b"first")
    with pytest.raises(InvalidArguments, match="code blob 2 came, 1 is next"):
        shelf.define(1, 2, b"third")
    assert shelf.blobs_of(1) == [b"first"]


def test_an_owner_may_have_so_much(shelf: CodeShelf) -> None:
    with pytest.raises(LimitExceeded, match="the code of an owner has"):
        shelf.define(1, 0, bytes(20 * BLOB_BYTES))


def test_all_owners_may_have_so_much_and_each_its_share(shelf: CodeShelf) -> None:
    for owner in (1, 2):
        shelf.define(owner, 0, bytes(14 * BLOB_BYTES))
    shelf.define(3, 0, bytes(4 * BLOB_BYTES))
    for owner in (1, 2, 3):
        with pytest.raises(LimitExceeded, match="the code of all owners has"):
            shelf.define(owner, 1, b"more")
    shelf.leave_owner(1)
    shelf.define(3, 1, b"more")
    assert len(shelf.blobs_of(3)) == 2


def test_a_slave_is_sent_all_the_code_of_an_owner_once() -> None:
    courier: Any = Courier()
    slave: Any = object()
    shelf = CodeShelf(courier)
    shelf.join_owner(1)
    shelf.join_slave(slave)
    for index, blob in enumerate((b"first", b"second")):
        shelf.define(1, index, blob)
    shelf.send(slave, 1)
    shelf.send(slave, 1)
    shelf.define(1, 2, b"third")
    shelf.send(slave, 1)
    assert courier.sent == [
        (slave, to_slave.code, 1, index, blob) for index, blob in enumerate(shelf.blobs_of(1))
    ]
    assert shelf.count(1) == 3


def test_parts_of_a_project_are_sent_to_the_slaves_that_ask_for_them() -> None:
    courier: Any = Courier()
    slave: Any = object()
    stranger: Any = object()
    shelf = CodeShelf(courier)
    for owner in (1, 2):
        shelf.join_owner(owner)
    shelf.join_slave(slave)
    manifest = Manifest("0" * 64, 10, 1, "/home/me/shop").blob()
    for index, blob in enumerate((manifest, PART + b"content", b"code")):
        shelf.define(1, index, blob)
    assert [shelf.has_project(owner) for owner in (1, 2, 3)] == [True, False, False]
    with pytest.raises(InvalidArguments, match="no part of a project that this slave was sent"):
        shelf.part(slave, 1, 1)
    shelf.send(slave, 1)
    assert [blob for *_, blob in courier.sent] == [manifest, EMPTY_PART, b"code"]
    assert shelf.part(slave, 1, 1) == PART + b"content"
    for other, owner, index in (
        (slave, 1, 2),
        (slave, 1, 0),
        (slave, 1, 3),
        (slave, 1, -1),
        (slave, 2, 0),
        (stranger, 1, 1),
    ):
        with pytest.raises(InvalidArguments):
            shelf.part(other, owner, index)


@pytest.mark.parametrize(
    ("index", "blob", "why"),
    [
        (0, MANIFEST + b"nonsense", "no manifest"),
        (3, Manifest("0" * 64, 10, 0, "/").blob(), "from 1 to 4096 parts"),
        (0, Manifest("0" * 64, 10, 1, "/" * 100_000).blob(), "too long"),
        (1, requirements_blob("numpy"), "before all other code"),
        (0, requirements_blob("#" * (TEXT_BYTES_MAX + 1)), "at most"),
    ],
)
def test_what_no_slave_can_make_sense_of_is_refused(index: int, blob: bytes, why: str) -> None:
    """A slave that is sent it would end its session, and so would each that has the tasks next."""
    with pytest.raises(InvalidArguments, match=why):
        check_blob(index, blob)


def test_projects_requirements_and_other_code_are_taken() -> None:
    check_blob(0, requirements_blob("numpy==2.1.0\n"))
    check_blob(1, Manifest("0" * 64, 10, 1, "/home/me/shop").blob())
    check_blob(2, b"what a slave does not read")
