"""The MD5 application on an embedded cluster, in a process of its own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODES = pytest.mark.parametrize("mode", ["system", "tasks"])
SCHEDULERS = pytest.mark.parametrize("scheduler", ["GenericTaskScheduler", "ZMQTaskScheduler"])

MEETING = '''
import time
from pathlib import Path

from concurrent.apps.samples.md5reverse.app import Md5Reverse
from concurrent.scheduling import Task


class Meet(Task):
    """Ends only when two of its kind run at once."""

    def __init__(self, own, other):
        super().__init__(own.name)
        self.own, self.other = own, other

    def __call__(self):
        self.own.touch()
        deadline = time.monotonic() + 30
        while not self.other.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.other.exists()


class Meeting(Md5Reverse):
    """Needs both workers once the number is found."""

    has_met = None

    def work_finished(self, result, task_system):
        if self.has_met is None:
            self.has_met = []
            one, two = Path(__file__).with_name("one"), Path(__file__).with_name("two")
            self.push_tasks([Meet(one, two), Meet(two, one)])
        else:
            print("met", *self.has_met)
            self.shutdown_main_loop()

    def task_finished(self, task, result, error):
        if isinstance(task, Meet):
            self.has_met.append(result)
        else:
            super().task_finished(task, result, error)
'''


def run(
    name: str, scheduler: str = "GenericTaskScheduler", **options: object
) -> subprocess.CompletedProcess[str]:
    """Run an application with two workers.

    :param options: options of the section ``[md5reverse]``.
    """
    settings = [part for key, value in options.items() for part in ("-o", f"md5reverse.{key}={value}")]
    command = ["-m", "concurrent.apps.main", "app", name, "-w", "2", "--scheduler", scheduler, *settings]
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@MODES
@SCHEDULERS
def test_the_secret_is_found(mode: str, scheduler: str) -> None:
    done = run("md5reverse", scheduler, mode=mode, secret=123_456, last=200_000, numbers_per_task=20_000)
    assert done.returncode == 0, done.stderr
    assert "it is the digest of 123456" in done.stdout
    assert "speed-up" in done.stdout


@MODES
def test_a_digest_in_capitals_of_a_number_with_leading_zeros_is_found(mode: str) -> None:
    digest = hashlib.md5(b"0000700").hexdigest().upper()
    done = run("md5reverse", mode=mode, digest=digest, width=7, last=1000, sequential="no")
    assert done.returncode == 0, done.stderr
    assert "it is the digest of 0000700" in done.stdout
    assert "sequential  not run" in done.stdout


@MODES
def test_a_digest_outside_of_the_range_is_not_found_and_fails(mode: str) -> None:
    done = run("md5reverse", mode=mode, secret=99, last=99, sequential="no")
    assert done.returncode == 1, done.stderr
    assert "not found in range 0 to 98" in done.stdout


@MODES
@SCHEDULERS
def test_a_find_frees_the_workers_that_still_search(mode: str, scheduler: str, tmp_path: Path) -> None:
    """The second task would search for years."""
    (tmp_path / "meeting.py").write_text(MEETING, encoding="utf-8")
    name = f"{tmp_path / 'meeting.py'}:Meeting"
    first, size = 10**15, 10**15
    done = run(
        name, scheduler, mode=mode, first=first, secret=first + 10**6, last=10**17, numbers_per_task=size
    )
    assert done.returncode == 0, done.stderr
    assert "met True True" in done.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"digest": "abc"}, "Use 32 hexadecimal digits, or nothing"),
        ({"digest": "g" * 32}, "Use 32 hexadecimal digits, or nothing"),
        ({"first": "5", "last": "5"}, "the range from 5 to below 5 is empty"),
        ({"last": "1" + "0" * 56}, "[md5reverse] last"),
    ],
)
def test_wrong_input_is_refused_with_a_remedy(options: dict[str, str], words: str) -> None:
    done = run("md5reverse", **options)
    assert done.returncode == 2
    assert words in done.stderr
