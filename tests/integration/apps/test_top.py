"""``concurrent top`` on a real terminal: what its keys do, and that the terminal is as before at the end."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import psutil
import pytest

from concurrent.apps import ClusterExecutor, MasterNode
from concurrent.apps.main import main
from tests.integration.apps.durable import MakeMaster
from tests.integration.apps.peers import TIMEOUT_S

ALTERNATIVE = "\x1b[?1049h"
BACK = "\x1b[?25h\x1b[?1049l"


def hold(gate: str) -> str:
    print("holding on", flush=True)
    deadline = time.monotonic() + TIMEOUT_S
    while not Path(gate).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return gate


class Seen:
    """A command on a terminal of its own."""

    def __init__(self, *words: str) -> None:
        self._master, self._slave = pty.openpty()
        termios.tcsetwinsize(self._slave, (30, 100)) if hasattr(termios, "tcsetwinsize") else None
        self.before = termios.tcgetattr(self._slave)
        self.text = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "concurrent.apps.main", *words],
            stdin=self._slave, stdout=self._slave, stderr=self._slave,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
            start_new_session=True,
        )  # fmt: skip

    def wait_for(self, pattern: str) -> None:
        """Read until the picture has a match."""
        deadline = time.monotonic() + TIMEOUT_S
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, self.text[-3000:]
            if select.select([self._master], [], [], 0.1)[0]:
                self.text += os.read(self._master, 65536).decode(errors="replace")

    def press(self, keys: str) -> None:
        self.text = ""
        os.write(self._master, keys.encode())

    def ended(self) -> int:
        """Wait for its end, and return its exit code; the terminal has to be as before."""
        deadline = time.monotonic() + TIMEOUT_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline
            if select.select([self._master], [], [], 0.05)[0]:
                self.text += os.read(self._master, 65536).decode(errors="replace")
        while select.select([self._master], [], [], 0.05)[0]:
            self.text += os.read(self._master, 65536).decode(errors="replace")
        assert termios.tcgetattr(self._slave) == self.before
        assert self.text.count(BACK) >= 1
        return self.process.returncode

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture
def master(make_master: MakeMaster) -> MasterNode:
    made = make_master(master__workers="2")
    made.wait_slave(TIMEOUT_S)
    return made


@pytest.fixture
def address(master: MasterNode) -> str:
    return f"127.0.0.1:{master.api_service_v1.port}"


@pytest.fixture
def seen(address: str) -> Iterator[Callable[[], Seen]]:
    made: list[Seen] = []

    def make() -> Seen:
        made.append(Seen("top", "-m", address, "--every", "0.3"))
        made[-1].wait_for(re.escape(ALTERNATIVE))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_keys_choose_a_task_show_its_log_and_cancel_it(
    seen: Callable[[], Seen], address: str, tmp_path: Path
) -> None:
    with ClusterExecutor(address, own_modules=["tests"]) as cluster:
        future = cluster.options(name="hold").submit(hold, str(tmp_path / "gate"))
        top = seen()
        top.wait_for(r"(?s)RUNNING.*hold")
        top.press("c")
        top.wait_for("choose a task first")
        top.press("\x1b[B")
        top.wait_for(r"\x1b\[7m[^\n]*hold")
        top.press("l")
        top.wait_for("holding on")
        top.press("x")
        top.wait_for("q quit")
        top.press("c")
        top.wait_for(r"cancel [^?]*\? y or n")
        top.press("y")
        top.wait_for("is cancelled")
        with pytest.raises(CancelledError):
            future.result(TIMEOUT_S)
        top.press("q")
        assert top.ended() == 0


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGHUP, 128 + signal.SIGHUP)],
)
def test_the_terminal_is_as_before_whatever_ends_it(
    seen: Callable[[], Seen], number: signal.Signals, code: int
) -> None:
    top = seen()
    top.wait_for("q quit")
    top.process.send_signal(number)
    assert top.ended() == code


def test_while_it_is_suspended_the_terminal_is_as_before(seen: Callable[[], Seen]) -> None:
    top = seen()
    top.wait_for("q quit")
    top.text = ""
    top.process.send_signal(signal.SIGTSTP)
    top.wait_for(re.escape(BACK))
    process = psutil.Process(top.process.pid)
    deadline = time.monotonic() + TIMEOUT_S
    while process.status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    top.process.send_signal(signal.SIGCONT)
    top.wait_for(re.escape(ALTERNATIVE))
    top.press("q")
    assert top.ended() == 0


def test_it_says_that_the_master_is_away_and_goes_on(seen: Callable[[], Seen], master: MasterNode) -> None:
    top = seen()
    top.wait_for("q quit")
    master.stop()
    top.wait_for("cannot be reached|closed the connection")
    top.press("q")
    assert top.ended() == 0


def test_without_a_terminal_it_prints_once(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", "-m", address]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main(["top", "-m", address, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"now", "progress", "workers", "failures", "running"}
    assert found["workers"]["total"] == 1
