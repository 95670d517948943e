"""Both kinds of launcher: how processes start, what they inherit, and how their ends are reported."""

from __future__ import annotations

import ast
import os
import queue
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from concurrent.core.errors import NodeError
from concurrent.scheduling.processes.launcher import Child, Launcher
from concurrent.scheduling.processes.otherpython import OtherPython
from concurrent.scheduling.processes.spawn import SpawnLauncher, start_launcher
from concurrent.scheduling.processes.taskoutput import OutputFile
from concurrent.scheduling.processes.zygote import Zygote
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.scheduling.pool_user import TIMEOUT_S, Gate, wait_for_ends, wait_until

MODULE = "tests.integration.scheduling.children"


class Launched:
    """Launches children and has their ends."""

    def __init__(self, launcher: Launcher, loop: NodeLoop) -> None:
        self.launcher = launcher
        self.loop = loop
        self.ends: queue.Queue[tuple[int, int | None, int | None, str]] = queue.Queue()
        self.output = OutputFile("test-output")
        launcher.attach(loop)

    def launch(self, name: str, sockets: tuple[socket.socket, ...] = (), args: tuple[Any, ...] = ()) -> Child:
        def launch() -> Child:
            return self.launcher.launch(
                f"{MODULE}:{name}",
                sockets,
                args,
                output=self.output,
                on_exit=lambda *end: self.ends.put(end),
            )

        return self.loop.call(launch, timeout_s=TIMEOUT_S)

    def end(self) -> tuple[int, int | None, int | None, str]:
        return self.ends.get(timeout=TIMEOUT_S)

    def ask(self, name: str, *args: Any) -> Any:
        """Launch an entry that answers on a socket."""
        own, its = socket.socketpair()
        with own:
            own.settimeout(TIMEOUT_S)
            self.launch(name, (its,), args)
            return ast.literal_eval(own.makefile("rb").read().decode())


@pytest.fixture
def launched(launcher: Launcher, loop: NodeLoop) -> Iterator[Launched]:
    made = Launched(launcher, loop)
    yield made
    made.output.close()


@pytest.fixture
def by_zygote(zygote: Zygote, loop: NodeLoop) -> Iterator[Launched]:
    made = Launched(zygote, loop)
    yield made
    made.output.close()


def test_a_child_gets_its_sockets_and_arguments(launched: Launched) -> None:
    args, pid, threads = launched.ask("answer", 1, "two", [3.0, None])
    assert args == (1, "two", [3.0, None])
    assert threads == 1
    assert launched.end() == (pid, None, 0, "")


def test_an_exit_code_is_reported_with_the_output(launched: Launched) -> None:
    child = launched.launch("exit_with", args=(5,))
    pid, killed_by, code, tail = launched.end()
    assert (killed_by, code, tail) == (None, 5, "leaving\n")
    assert pid == child.pid
    assert child.has_ended


def test_an_end_that_takes_too_long_is_cut_short(launched: Launched) -> None:
    launched.launch("end_slowly")
    _, killed_by, code, tail = launched.end()
    assert (killed_by, code) == (None, 0)
    assert "is cut short" in tail


def test_an_entry_that_raises_ends_with_its_traceback(launched: Launched) -> None:
    launched.launch("fail")
    _, killed_by, code, tail = launched.end()
    assert (killed_by, code) == (None, 70)
    assert "an entry that fails" in tail


def test_an_entry_that_is_missing_ends_with_its_traceback(launched: Launched) -> None:
    launched.launch("there_is_none")
    _, killed_by, code, tail = launched.end()
    assert (killed_by, code) == (None, 70)
    assert "there_is_none" in tail


def test_a_child_can_be_killed(launched: Launched, gate: Gate) -> None:
    child = launched.launch("hold", args=(gate.port,))
    pid = gate.wait_for_one()
    launched.loop.call(child.kill, timeout_s=TIMEOUT_S)
    assert launched.end() == (pid, signal.SIGKILL, None, "")
    launched.loop.call(child.kill, timeout_s=TIMEOUT_S)  # changes nothing


def test_a_child_that_is_only_being_started_can_be_killed(launched: Launched, gate: Gate) -> None:
    def launch_and_kill() -> None:
        child = launched.launcher.launch(
            f"{MODULE}:hold", (), (gate.port,), on_exit=lambda *end: launched.ends.put(end)
        )
        child.kill()

    launched.loop.call(launch_and_kill, timeout_s=TIMEOUT_S)
    assert launched.end()[1:3] == (signal.SIGKILL, None)


def test_stop_kills_children_and_nothing_can_be_launched_then(launched: Launched, gate: Gate) -> None:
    launched.launch("hold", args=(gate.port,))
    child = psutil.Process(gate.wait_for_one())
    launched.launcher.stop()
    assert not child.is_running()
    with pytest.raises(NodeError, match="stopped"):
        launched.launch("hold", args=(gate.port,))
    launched.launcher.stop()  # may be repeated
    assert launched.ends.empty()


def test_a_launcher_needs_a_loop(launcher: Launcher) -> None:
    with pytest.raises(NodeError, match="not attached"):
        launcher.launch(f"{MODULE}:fail", (), on_exit=lambda *_: None)


def test_a_spawned_child_that_cannot_be_started_is_reported(
    spawner: SpawnLauncher, loop: NodeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched = Launched(spawner, loop)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    child = launched.launch("fail")
    pid, killed_by, code, reason = launched.end()
    assert (pid, killed_by, code) == (0, None, None)
    assert "/no/such/python" in reason
    assert child.has_ended
    launched.output.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_forked_child_inherits_no_file(by_zygote: Launched) -> None:
    with socket.create_server(("127.0.0.1", 0)), open(__file__):
        files = by_zygote.ask("open_files")
    assert len([path for path in files if path.startswith("socket:")]) == 1
    assert not any(path == __file__ or "eventpoll" in path for path in files)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")
def test_what_a_child_daemonised_ends_with_it(by_zygote: Launched, gate: Gate) -> None:
    child = by_zygote.launch("daemonise", args=(gate.port,))
    pids = {gate.wait_for_one(), gate.wait_for_one()}
    processes = [psutil.Process(pid) for pid in pids]
    by_zygote.loop.call(child.kill, timeout_s=TIMEOUT_S)
    assert by_zygote.end()[0] in pids
    wait_for_ends(processes)


def test_a_killed_zygote_takes_its_children_along_and_a_new_one_starts(
    by_zygote: Launched, zygote: Zygote, gate: Gate
) -> None:
    by_zygote.launch("hold", args=(gate.port,))
    child = psutil.Process(gate.wait_for_one())
    killed = zygote.pid
    os.kill(killed, signal.SIGKILL)
    pid, killed_by, _, reason = by_zygote.end()
    assert (pid, killed_by) == (child.pid, signal.SIGKILL)
    assert str(killed) in reason
    wait_for_ends([child])
    assert by_zygote.ask("answer", 1)[0] == (1,)
    assert zygote.pid != killed


ODD = """#!{python} -IS
import os, re, sys, time
control = int(re.search(r"fileno=([0-9]+)", sys.argv[-1])[1])
{does}
print("here", flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize(
    "does",
    [
        "os.close(control)",
        "pass",
        "os.write(control, bytes([7]) * 1000)",
        "os.write(control, bytes([0xc1]))",
        "os.write(control, bytes([0x93, 0xa7]) + b'started' + bytes([1, 0xa1]) + b'x')",
    ],
    ids=["closes its socket", "does nothing", "says numbers", "says no msgpack", "says no pid"],
)
def test_an_interpreter_that_is_no_zygote_holds_up_no_other(
    by_zygote: Launched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    """That of an environment runs what its application has put there."""
    monkeypatch.setattr("concurrent.scheduling.processes.zygote.START_S", 0.1 if does == "pass" else TIMEOUT_S)
    script = tmp_path / "python"
    script.write_text(ODD.format(python=sys.executable, does=does))
    script.chmod(0o700)
    beside = by_zygote.launcher.beside(OtherPython(str(script), ()))
    ends: queue.Queue[Any] = queue.Queue()

    def launch() -> Child:
        return beside.launch(f"{MODULE}:answer", (), (), on_exit=lambda *end: ends.put(end))

    by_zygote.loop.call(launch, timeout_s=TIMEOUT_S)
    assert ends.get(timeout=TIMEOUT_S)[1] == signal.SIGKILL
    assert by_zygote.ask("answer", 1)[0] == (1,)
    assert isinstance(beside, Zygote)
    assert not psutil.pid_exists(beside.pid)


def test_an_interpreter_that_does_not_end_is_killed(
    by_zygote: Launched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("concurrent.scheduling.processes.zygote.RETIRE_S", 0.1)
    script = tmp_path / "python"
    script.write_text(ODD.format(python=sys.executable, does=""))
    script.chmod(0o700)
    beside = by_zygote.launcher.beside(OtherPython(str(script), ()))
    by_zygote.loop.call(
        lambda: beside.launch(f"{MODULE}:answer", (), (), on_exit=print) and None, timeout_s=TIMEOUT_S
    )
    by_zygote.loop.call(beside.retire, timeout_s=TIMEOUT_S)
    assert isinstance(beside, Zygote)
    wait_until(lambda: beside.has_ended, "the end of the interpreter")
    assert not psutil.pid_exists(beside.pid)


def test_hashes_of_text_can_be_chosen_and_stay_when_a_zygote_is_started_again(loop: NodeLoop) -> None:
    command = [sys.executable, "-c", "print(hash('text'))"]
    env = {**os.environ, "PYTHONHASHSEED": "5"}
    expected = int(subprocess.run(command, env=env, capture_output=True, check=True).stdout)
    for launcher in (start_launcher(hash_seed=5), SpawnLauncher(5)):
        launched = Launched(launcher, loop)
        assert launched.ask("hash_of", "text") == expected
        if isinstance(launcher, Zygote):
            os.kill(launcher.pid, signal.SIGKILL)
            wait_until(partial(_answers, launched), "a new zygote answers")
        assert launched.ask("hash_of", "text") == expected
        loop.call(launcher.take_hash_seed, 6, timeout_s=TIMEOUT_S)
        assert launched.ask("hash_of", "text") != expected
        launcher.stop()
        launched.output.close()


def _answers(launched: Launched) -> bool:
    try:
        return bool(launched.ask("answer", 1))
    except SyntaxError:  # an empty answer
        return False


def test_a_program_with_threads_gets_a_zygote_too(loop: NodeLoop) -> None:
    zygote = Zygote.start(["json"])
    try:
        launched = Launched(zygote, loop)
        assert launched.ask("answer", 1)[0] == (1,)
        assert launched.ask("answer", 2)[2] == 1
        launched.output.close()
    finally:
        zygote.stop()


def test_a_preloaded_module_that_is_missing_does_no_harm(
    loop: NodeLoop, capfd: pytest.CaptureFixture[str]
) -> None:
    zygote = Zygote.start(["no_such_module"])
    try:
        launched = Launched(zygote, loop)
        assert launched.ask("answer", 1)[0] == (1,)
        launched.output.close()
    finally:
        zygote.stop()
    assert "no_such_module" in capfd.readouterr().err


def test_a_zygote_that_was_never_attached_can_be_stopped() -> None:
    zygote = Zygote.start()
    process = psutil.Process(zygote.pid)
    zygote.stop()
    assert not process.is_running()


LEAVE_GARBAGE = """
import gc, os
from concurrent.scheduling.processes.zygote import Zygote

program = os.getpid()
gc.disable()

class Garbage:
    def __init__(self):
        self.itself = self
    def __del__(self):
        print("ended in the program" if os.getpid() == program else "ended elsewhere", flush=True)

Garbage()
Zygote.start().stop()
gc.collect()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_what_the_program_left_to_the_garbage_collection_ends_in_the_program_only() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVE_GARBAGE], capture_output=True, text=True, check=True, timeout=TIMEOUT_S
    )
    assert done.stdout.splitlines() == ["ended in the program"]


def test_a_platform_with_fork_gets_a_zygote(monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = start_launcher()
    launcher.stop()
    assert isinstance(launcher, Zygote)
    monkeypatch.delattr(os, "fork")
    assert isinstance(start_launcher(), SpawnLauncher)
    with pytest.raises(NodeError, match="needs fork"):
        Zygote.start()


def test_windows_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(NodeError, match="Run slaves on Linux or macOS"):
        SpawnLauncher()
