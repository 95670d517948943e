"""Processes that tasks start: their exit codes, their ends, and what becomes of what they leave behind."""

from __future__ import annotations

import gzip
import logging
import pickle
import re
import sys
from pathlib import Path

import psutil
import pytest

from concurrent.scheduling.pickling.batch import TaskBatch
from concurrent.scheduling.tasks.outcome import FAILED
from concurrent.scheduling.wire.failure import loads_failure
from tests.integration.scheduling import process_tasks
from tests.integration.scheduling.conftest import MakePool
from tests.integration.scheduling.pool_user import APP, OTHER_APP, TIMEOUT_S, wait_for_ends, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="as on Linux")


@pytest.mark.parametrize(
    ("kind", "code"), [("exit", 3), ("exit with a text", 1), ("raise", 1), ("leave", 4), ("return", 0)]
)
def test_a_fork_of_a_task_ends_with_an_exit_code_of_its_own(make_pool: MakePool, kind: str, code: int) -> None:
    assert make_pool(1).results((process_tasks.exit_code_of_fork, kind)) == [code]


def test_a_fork_in_a_batch_runs_no_more_of_it(make_pool: MakePool, tmp_path: Path) -> None:
    user = make_pool(1)
    notes = tmp_path / "notes"
    members = [(process_tasks.fork_and_note, (str(notes), text), {}) for text in ("returns", "raises", "last")]
    (number,) = user.push(TaskBatch(members))
    results, failures = pickle.loads(user.outcome(number)[1])
    assert (results, failures) == ([0, 1, 0], {})
    assert notes.read_text().split() == ["returns", "raises", "last"]


def test_orphans_of_tasks_leave_no_zombies(make_pool: MakePool) -> None:
    user = make_pool(1)
    user.results(*[(process_tasks.leave_orphan,)] * 20)
    wait_until(lambda: user.results((process_tasks.zombies,)) == [[]], "no zombies")


@pytest.mark.parametrize("how", ["fork", "orphan", "copy", "session"])
def test_what_an_application_leaves_behind_ends_with_it_and_is_named(
    make_pool: MakePool, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    user = make_pool(1)
    (left,) = user.results((process_tasks.leave_behind, how))
    process = psutil.Process(left)
    assert process.status() != psutil.STATUS_ZOMBIE
    user.on_loop(user.pool.forget, APP)
    wait_for_ends([process])
    wait_until(lambda: f"(process {left})" in caplog.text, "it is named in the log")


def test_what_another_application_leaves_behind_goes_on(make_pool: MakePool) -> None:
    user = make_pool(1)
    user.results((abs, -1))
    payload = user.book.dumps_payload((process_tasks.leave_behind, ("session",), {}))
    (number,) = user.push_of_another([payload])
    left = psutil.Process(user.result(number))
    (own,) = user.results((process_tasks.leave_behind, "session"))
    own_process = psutil.Process(own)
    user.on_loop(user.pool.forget, APP)
    wait_for_ends([own_process])
    assert left.is_running()
    user.on_loop(user.pool.forget, OTHER_APP)
    wait_for_ends([left])


def test_what_tasks_left_open_is_finished_when_their_worker_ends_in_good_order(
    make_pool: MakePool, tmp_path: Path
) -> None:
    user = make_pool(1)
    (gone,) = user.results((process_tasks.leave_open, str(tmp_path)))
    assert all(Path(path).exists() for path in gone)
    user.stop(TIMEOUT_S)
    assert [path for path in gone if Path(path).exists()] == []
    assert gzip.decompress((tmp_path / "packed.gz").read_bytes()) == b"done"
    assert [(tmp_path / name).read_text() for name in ("atexit", "file", "thread")] == ["done"] * 3


def test_a_worker_that_is_killed_finishes_nothing(make_pool: MakePool, tmp_path: Path) -> None:
    user = make_pool(1)
    (left,) = user.results((process_tasks.leave_open, str(tmp_path)))
    user.stop(0)
    assert all(Path(path).exists() for path in left)
    assert not (tmp_path / "atexit").exists()
    Path(left[0]).unlink()
    Path(left[1]).rmdir()


def printed(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "concurrent.task"]


@pytest.mark.parametrize(
    "how",
    ["closed descriptors", "closed streams", "redirected descriptors", "redirected streams", "no streams"],
)
def test_what_a_task_does_to_its_streams_is_no_matter_to_the_next(
    make_pool: MakePool, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    caplog.set_level(logging.INFO, "concurrent.task")
    user = make_pool(1)
    user.results((process_tasks.spoil_streams, how))
    (number,) = user.push((process_tasks.print_everywhere, "said"))
    user.result(number)
    assert printed(caplog) == [
        f"task {number}: said {how}"
        for how in ("by print", "by print to stderr", "by a command", "by a command to stderr")
    ]


def test_how_much_output_is_left_out_is_logged_between_its_beginning_and_its_end(
    make_pool: MakePool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "concurrent.task")
    user = make_pool(1)
    count = 50_000
    (number,) = user.push((process_tasks.print_much, count))
    user.result(number)
    prefix = f"task {number}: "
    lines = [line.removeprefix(prefix) for line in printed(caplog)]
    left_out_bytes = 0
    for line in lines[:]:
        if match := re.fullmatch(r"\.\.\. (\d+) bytes of its output are left out here \.\.\.", line):
            left_out_bytes += int(match[1])
            lines.remove(line)
    assert (lines[0], lines[-1]) == ("line 0", f"line {count - 1}")
    assert set(lines) <= {f"line {n}" for n in range(count)}  # none is there in part
    assert sum(len(line) + 1 for line in lines) + left_out_bytes == sum(
        len(f"line {n}\n") for n in range(count)
    )


def test_a_task_can_interrupt_itself_and_its_worker_goes_on(make_pool: MakePool) -> None:
    user = make_pool(1)
    (number,) = user.push((process_tasks.be_interrupted,))
    status, payload = user.outcome(number)
    assert status == FAILED
    assert isinstance(loads_failure(payload, None), KeyboardInterrupt)
    assert user.results((abs, -1)) == [1]
