"""The commands on jobs: what they ask a master, what they print, and how they end."""

from __future__ import annotations

import argparse
import io
import json
import shlex
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from concurrent.apps.commands.asking import add_job_arguments, what_to_type
from concurrent.apps.commands.jobs import describe_job, describe_jobs
from concurrent.apps.commands.output import Screen
from concurrent.apps.jobstatus import HELD, JobRow
from concurrent.apps.main import main
from concurrent.apps.observed import JobsStatus
from concurrent.core.items import Host
from tests.integration.apps.fakejobs import HUNT, PLAIN, FakeJobs


def described(jobs: list[JobRow], now: float) -> str:
    return describe_jobs(JobsStatus(tuple(jobs), len(jobs), 0), Screen(io.StringIO()), now)


@pytest.fixture
def fake_jobs() -> Iterator[FakeJobs]:
    made = FakeJobs()
    yield made
    made.stop()


def test_jobs_are_listed_with_their_counts_owner_and_durability() -> None:
    head, row, *_ = described([HUNT], 1360.0).splitlines()
    assert head.split()[:4] == ["JOB", "ID", "STATE", "DONE"]
    began = datetime.fromtimestamp(HUNT.created_at).astimezone().isoformat(timespec="seconds")
    for text in ("hunt k3f9 open 360 of 1000 3 2 360", f" {began} 6 min ", "ada@cray", "host"):
        assert text in " ".join(row.split())


def test_an_ended_job_says_how_and_a_held_one_why() -> None:
    held = replace(HUNT, state=HELD, reason="it was made with Python 3.10")
    ended = replace(HUNT, state="ended", how="cancelled", ended_at=1120.0)
    text = described([held, ended], 1360.0)
    assert "it was made with Python 3.10" in text
    assert "cancelled" in text
    assert "2 min" in text


def test_one_job_is_shown_with_its_failures_by_task_and_exception() -> None:
    text = describe_job(replace(HUNT, state="ended", how="finished", ended_at=1400.0), 1600.0)
    assert "3 of BlockTask: ValueError; the last one:" in text
    assert "355 finished, 3 failed, 2 cancelled" in text
    assert "concurrent app /home/ada/hunt.py  (in /home/ada)" in text
    assert "is forgotten in 6 days" in text


def test_nothing_of_a_job_commands_the_terminal() -> None:
    assert "\x1b" not in describe_job(HUNT, 1.0) + described([replace(HUNT, name="\x1b[2Jx")], 1.0)


def test_programs_whose_work_ends_with_them_are_listed_on_request(
    fake_jobs: FakeJobs, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["jobs", "-m", fake_jobs.address]) == 0
    assert PLAIN.job not in capsys.readouterr().out
    assert main(["jobs", "--all", "-m", fake_jobs.address]) == 0
    assert PLAIN.job in capsys.readouterr().out


def test_json_has_everything(fake_jobs: FakeJobs, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "--json", "-m", fake_jobs.address]) == 0
    listed = json.loads(capsys.readouterr().out)
    (row,) = listed["items"]
    assert (listed["total"], listed["left_out"]) == (1, 0)
    assert JobRow.from_json(row) == JobRow.from_json(HUNT.to_json())
    assert main(["jobs", "hunt", "--json", "-m", fake_jobs.address]) == 0
    assert json.loads(capsys.readouterr().out) == HUNT.to_json()


@pytest.mark.parametrize("command", ["cancel", "release"])
def test_a_job_is_named_by_its_name_or_its_id(fake_jobs: FakeJobs, command: str) -> None:
    fake_jobs.hold()
    for name in ("hunt", "k3f9"):
        assert main([command, name, "-m", fake_jobs.address]) == 0
    assert fake_jobs.calls == [f"{command}_job k3f9"] * 2


@pytest.mark.parametrize("name", ["my hunt", "it's", "--force", "-x"])
def test_what_is_to_be_typed_can_be_typed_whatever_a_job_is_called(name: str) -> None:
    parser = argparse.ArgumentParser()
    add_job_arguments(parser)
    command, *rest = shlex.split(what_to_type("attach", name, Host("cray", 8750)))[1:]
    args = parser.parse_args(rest)
    assert (command, args.job, args.master) == ("attach", name, "cray:8750")


def test_a_long_name_does_not_take_all_of_the_table() -> None:
    _, row = described([replace(HUNT, name="x" * 256)], 1360.0).splitlines()
    assert row.startswith("x" * 39 + "\N{HORIZONTAL ELLIPSIS}  k3f9")


def test_a_job_that_has_not_ended_is_not_forgotten(
    fake_jobs: FakeJobs, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["forget", "hunt", "-m", fake_jobs.address]) == 3
    error = capsys.readouterr().err
    assert "640 open tasks" in error
    assert "concurrent cancel hunt" in error
    assert fake_jobs.calls == []


def test_with_force_it_is_cancelled_first(fake_jobs: FakeJobs) -> None:
    assert main(["forget", "--force", "hunt", "-m", fake_jobs.address]) == 0
    assert fake_jobs.calls == ["cancel_job k3f9", "forget_job k3f9"]


def test_one_that_has_ended_is_forgotten_and_what_was_unread_is_said(
    fake_jobs: FakeJobs, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_jobs.end()
    assert main(["forget", "hunt", "-m", fake_jobs.address]) == 0
    assert fake_jobs.calls == ["forget_job k3f9"]
    assert "360 results that nobody has taken" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["jobs"], ["cancel"], ["release"], ["forget"], ["attach"], ["explain"]])
def test_the_nearest_name_is_said_for_one_that_is_unknown(
    fake_jobs: FakeJobs, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert main([*command, "hnut", "-m", fake_jobs.address]) == 3
    error = capsys.readouterr().err
    assert "has no job 'hnut'" in error
    assert "Did you mean hunt?" in error


@pytest.mark.parametrize(
    "command", ["jobs", "cancel hunt", "release hunt", "forget hunt", "attach hunt", "explain 7"]
)
def test_a_master_that_is_not_there_is_an_error_of_one_line(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert main([*command.split(), "-m", f"127.0.0.1:{port}"]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be reached" in line


@pytest.mark.parametrize("name", ["", "a\nb"])
def test_a_job_has_a_name_that_can_be_printed(capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["app", "hunt.py", "--master", "127.0.0.1:1", "--job", name])
    assert "argument --job: job must have 1 to 256 characters" in capsys.readouterr().err


def test_cancelling_what_has_ended_does_not_say_that_it_is_cancelled(
    fake_jobs: FakeJobs, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_jobs.end()
    assert main(["cancel", "hunt", "-m", fake_jobs.address]) == 0
    assert "job hunt had ended before (finished)" in capsys.readouterr().out


def test_releasing_what_is_not_held_says_what_it_is(
    fake_jobs: FakeJobs, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["release", "hunt", "-m", fake_jobs.address]) == 0
    fake_jobs.end()
    assert main(["release", "k3f9", "-m", fake_jobs.address]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == ["job hunt was not held: it is open", "job hunt was not held: it is ended (finished)"]
    assert fake_jobs.calls == []


@pytest.mark.parametrize("words", [["release", "hunt"], ["forget", "hunt", "--force"]])
def test_what_is_done_to_a_job_is_printed_for_programs(
    fake_jobs: FakeJobs, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main([*words, "--json", "-m", fake_jobs.address]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "hunt"
