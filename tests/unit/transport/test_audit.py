"""The audit log: who did what, and that nobody has changed it since."""

from __future__ import annotations

import json
import os
import resource
from collections import Counter
from pathlib import Path

import pytest

from concurrent.transport.security import audit
from concurrent.transport.security.audit import AuditLog, audit_files, read_audit
from concurrent.transport.security.identity import THIS_USER, Identity
from concurrent.transport.security.roles import Role

SLAVE = Identity(Role.SLAVE, "rack", "office", "0a")
ANN = Identity(Role.SUBMIT, "ann", "office", "0b")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def problems(path: Path) -> list[tuple[str, int]]:
    return [(line.file.name, line.number) for line in read_audit(audit_files(path)) if line.problem]


def written(path: Path, count: int) -> None:
    log = AuditLog(path)
    for number in range(count):
        log.write("cancel", SLAVE, "10.0.0.7", f"job {number}", "done")


def test_a_line_says_when_who_from_where_what_and_how_it_ended(path: Path) -> None:
    AuditLog(path).write("login", SLAVE, "10.0.0.7", "page", "done")
    line = json.loads(path.read_text())
    moment = line.pop("time")
    assert moment.endswith("Z")
    assert line == {
        "identity": "slave rack", "serial": "0a", "address": "10.0.0.7", "action": "login", "object": "page",
        "result": "done", "before": "0" * 64,
    }  # fmt: skip


def test_only_the_user_can_read_it(path: Path) -> None:
    written(path, 1)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_log_that_nobody_has_changed_is_good(path: Path) -> None:
    written(path, 20)
    written(path, 20)
    assert problems(path) == []
    assert sum(1 for _ in read_audit([path])) == 40


@pytest.mark.parametrize("place", range(1, 8))
def test_a_line_that_was_changed_left_out_or_put_in_is_found(path: Path, place: int) -> None:
    written(path, 10)
    lines = path.read_bytes().splitlines(keepends=True)
    changed = lines[place].replace(b"10.0.0.7", b"10.0.0.8")
    for wrong in (
        [*lines[:place], changed, *lines[place + 1 :]],
        [*lines[:place], *lines[place + 1 :]],
        [*lines[: place + 1], lines[place], *lines[place + 1 :]],
        [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]],
        [*lines[:place], b"no line\n", *lines[place:]],
    ):
        path.write_bytes(b"".join(wrong))
        assert problems(path)


def test_a_line_that_a_crash_has_cut_is_found_and_the_next_ones_are_good(path: Path) -> None:
    written(path, 3)
    os.truncate(path, path.stat().st_size - 10)
    written(path, 3)
    assert problems(path) == [("audit.jsonl", 3)]
    assert sum(1 for _ in read_audit([path])) == 6


def test_two_writers_make_one_chain(path: Path) -> None:
    one, two = AuditLog(path), AuditLog(path)
    for _ in range(5):
        one.write("submit", SLAVE, "", "job", "done")
        two.write("cancel", None, "", "job", "done")
    assert problems(path) == []
    assert sum(1 for _ in read_audit([path])) == 10


def test_large_files_are_put_aside_and_the_chain_goes_on(path: Path) -> None:
    one, two = AuditLog(path, bytes_max=1000), AuditLog(path, bytes_max=1000)
    for _ in range(6):
        one.write("submit", SLAVE, "", "job", "done")
        two.write("submit", SLAVE, "", "job", "done")
    files = audit_files(path)
    assert len(files) > 2
    assert problems(path) == []
    assert sum(1 for _ in read_audit(files)) == 12
    older = files[1].read_bytes().splitlines(keepends=True)
    files[1].write_bytes(b"".join(older[:-1]))
    assert problems(path) == [(files[2].name if len(files) > 2 else path.name, 1)]


def test_the_oldest_files_are_removed(path: Path) -> None:
    log = AuditLog(path, bytes_max=1)
    for _ in range(20):
        log.write("submit", SLAVE, "", "job", "done")
    assert len(audit_files(path)) == 7
    assert problems(path) == []


def test_of_many_refusals_most_are_only_counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(audit.time, "time", lambda: now[0])
    log = AuditLog(path)
    for _ in range(1000):
        log.write("join", None, "10.0.0.66", "", "refused: no such invitation")
    log.write("submit", SLAVE, "", "job", "done")
    assert len(path.read_text().splitlines()) == 31
    now[0] += 61.0
    log.write("submit", SLAVE, "", "job", "done")
    assert json.loads(path.read_text().splitlines()[31])["result"] == "refused 970 more times"
    log.write("join", None, "10.0.0.66", "", "refused: no such invitation")
    log.close()
    assert len(path.read_text().splitlines()) == 34
    assert problems(path) == []


def test_nobody_fills_the_log_and_each_member_has_lines_of_its_own(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(audit.time, "time", lambda: now[0])
    log = AuditLog(path)
    for _ in range(1000):
        log.write("login", SLAVE, "10.0.0.66", "token", "done")
        log.write("join", None, "10.0.0.66", "", "refused: no such invitation")
    log.write("call", SLAVE, "", "push_tasks", "refused: slave rack may not")
    log.write("login", ANN, "", "token", "done")
    for _ in range(500):
        log.write("revoke", THIS_USER, "", "rack", "done")  # whose file it is
    written = Counter((line.values["identity"], line.values["result"][:7]) for line in read_audit([path]))
    assert written == {
        (str(SLAVE), "done"): 120, ("", "refused"): 30, (str(SLAVE), "refused"): 1, (str(ANN), "done"): 1,
        (str(THIS_USER), "done"): 500,
    }  # fmt: skip
    now[0] += 61.0
    log.close()
    *_, of_member, of_strangers = (line.values for line in read_audit([path]))
    assert (of_member["identity"], of_member["result"]) == (str(SLAVE), "done 880 more times")
    assert (of_strangers["identity"], of_strangers["result"]) == ("", "refused 970 more times")
    assert problems(path) == []


def test_texts_of_strangers_are_one_line_of_bounded_length(path: Path) -> None:
    log = AuditLog(path)
    log.write("join\n", None, "x" * 10**6, "\x1b[2J", "\udcff")
    log.write("join", None, "", "", "done")
    assert len(path.read_bytes()) < 2000
    assert problems(path) == []


def test_a_log_that_cannot_be_written_stops_nothing_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    AuditLog(tmp_path / "none" / "audit.jsonl").write("submit", SLAVE, "", "job", "done")
    assert "cannot be written" in caplog.text


def test_a_line_for_which_there_is_no_room_is_left_out_whole(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written(path, 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, before[1]))
    try:
        written(path, 1)  # the system takes 20 bytes of it
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot be written" in caplog.text
    written(path, 1)
    assert problems(path) == []
    assert len(path.read_bytes().splitlines()) == 2


def test_a_link_is_not_followed(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))
    AuditLog(path).write("submit", SLAVE, "", "job", "done")
    assert not path.with_name("elsewhere").exists()
