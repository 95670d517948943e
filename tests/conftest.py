"""Each test has to end the threads and processes that it began."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

END_WITHIN_S = 2.0
MARK = "CONCURRENT_TEST_RUN"

# Ended with the run by their owners: the timers of pytest-timeout, the helpers of multiprocessing.
SPARED_THREADS = ("pytest_timeout",)
SPARED_PROGRAMS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")


def pytest_configure() -> None:
    """Give the run folders of its own for keys and for the sockets of nodes; those paths have to be short."""
    base = tempfile.mkdtemp(prefix="ct")
    for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        os.environ[name] = os.path.join(base, name[4].lower())
        os.mkdir(os.environ[name], 0o700)


def pytest_unconfigure() -> None:
    """Remove them."""
    shutil.rmtree(os.path.dirname(os.environ["XDG_RUNTIME_DIR"]), ignore_errors=True)


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread or a process behind; those of wider fixtures are older."""
    threads_before = set(threading.enumerate())
    processes_before = set(_descendants())
    yield
    deadline = time.monotonic() + END_WITHIN_S
    threads = [thread for thread in threading.enumerate() if _is_new(thread, threads_before)]
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    threads = [thread for thread in threads if thread.is_alive()]
    processes = [process for process in _descendants() if not _is_kept(process, processes_before)]
    _, processes = psutil.wait_procs(processes, max(0.0, deadline - time.monotonic()))
    if threads or processes:
        left = [f"thread {thread.name}" for thread in threads] + [_described(p) for p in processes]
        pytest.fail(f"the test left behind: {'; '.join(left)}", pytrace=False)


@pytest.fixture(scope="session")
def is_long(request: pytest.FixtureRequest) -> bool:
    """Return whether time does not matter: a test then repeats as often as is worth it."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session", autouse=True)
def _signals_are_heard() -> Iterator[None]:
    """Have the programs that tests start hear what a shell, or nohup, lets that ignore which it runs behind."""
    ignored = [one for one in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_IGN]
    for one in ignored:
        signal.signal(one, signal.default_int_handler if one == signal.SIGINT else signal.SIG_DFL)
    yield
    for one in ignored:
        signal.signal(one, signal.SIG_IGN)


@pytest.fixture(scope="session", autouse=True)
def _no_orphans() -> Iterator[None]:
    """Fail the run if a process that was started in it outlives its parent; all inherit a variable."""
    mark = f"{os.getpid()}-{psutil.Process().create_time()}"
    os.environ[MARK] = mark
    yield
    del os.environ[MARK]
    own = {os.getpid(), *(process.pid for process in _descendants())}
    suspects = [p for p in psutil.process_iter() if p.pid not in own and _mark_of(p) == mark]
    _, orphans = psutil.wait_procs(suspects, END_WITHIN_S)
    if orphans:
        left = "; ".join(_described(process) for process in orphans)
        pytest.fail(f"the tests left orphans: {left}", pytrace=False)


def _is_new(thread: threading.Thread, before: set[threading.Thread]) -> bool:
    return thread not in before and not thread.name.startswith(SPARED_THREADS)


def _descendants() -> list[psutil.Process]:
    """Return all processes below this one; costs one system call where there are none."""
    if hasattr(os, "waitid"):
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return []
    return psutil.Process().children(recursive=True)


def _is_kept(process: psutil.Process, before: set[psutil.Process]) -> bool:
    """Return whether a process is older than the test, was started by an older one, or is spared."""
    try:
        started_by_older = any(parent in before for parent in process.parents())
        command = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return process in before or started_by_older or any(name in command for name in SPARED_PROGRAMS)


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None


def _described(process: psutil.Process) -> str:
    try:
        command = " ".join(process.cmdline())
        return f"process {process.pid} ({process.status()}): {command or process.name()}"
    except psutil.Error:
        return f"process {process.pid}"
