"""Type checkers understand a program that uses Concurrent beside the standard library's ``concurrent``."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Installation

PROGRAM = """
import concurrent.futures.process
import concurrent.futures.thread
from concurrent import futures
from concurrent.apps import ApplicationNode, ClusterExecutor, LocalCluster
from concurrent.core import IntItem
from concurrent.futures import (
    FIRST_COMPLETED, CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor,
    as_completed, wait,
)
from concurrent.scheduling import ITaskSystem, Task


class Square(Task):
    def __init__(self, number: int) -> None:
        super().__init__(f"square of {number}")
        self.number = number

    def __call__(self) -> int:
        return self.number**2


class Squares(ApplicationNode):
    count = IntItem("squares", "count", 10, "How many.")

    def start_processing(self) -> None:
        self.push_tasks(Square(number) for number in range(self.count))


def double(x: int) -> int:
    return 2 * x


def use(executor: Executor) -> Future[int]:
    return executor.submit(double, 1)


with LocalCluster(2) as cluster:
    future: Future[int] = cluster.submit(double, 4)
    answer: int = future.result()
    for one in as_completed([future, use(cluster)]):
        answer = one.result()
    done, rest = wait([future], return_when=FIRST_COMPLETED)
    reveal_type(done)
    reveal_type(cluster.map(double, [1, 2]))
with ThreadPoolExecutor(max_workers=2) as pool, concurrent.futures.process.ProcessPoolExecutor() as other:
    reveal_type(pool.submit(double, 3))
    reveal_type(use(other))
    reveal_type(futures.thread.ThreadPoolExecutor(1).submit(double, 3))
with ClusterExecutor("10.0.0.7:8750", job="doubles") as others:
    reveal_type(others.submit(double, 3, key="three"))
    reveal_type(others.submit(double, 3))
if __name__ == "__main__":
    reveal_type(Squares.run())
    Squares.run(["--quiet"])
"""
TYPES = ["set[Future[int]]", "Iterator[int]", *["Future[int]"] * 3, *["TaskFuture[int]"] * 2, "None"]
OPTIONS = """
from concurrent.apps import ApplicationNode, ExecutorView, LocalCluster, TaskFuture
from concurrent.futures import Executor, Future
from concurrent.scheduling import ISystemMaster, ITaskSystem, Retry, Task, TaskError, TaskTimeout


class Careful(Task):
    timeout_s = 60
    deadline_s = 3600.0
    retry = 3
    priority = 5
    resources = {"gpu": 1, "memory": "4GiB"}


class Patient(Task):
    retry = Retry(3, on=(OSError, "socket.gaierror"), delay_s=1, backoff=1.5, jitter=0)
    timeout_s = None


class System(ITaskSystem):
    def generate_tasks(self, master: ISystemMaster) -> None:
        master.push_task(Careful(), timeout_s=5)
        master.push_tasks([Careful()], priority=-1, retry=None)


class App(ApplicationNode):
    def start_processing(self) -> None:
        self.push_task(Careful(), timeout_s=5, deadline_s=None, name="one")
        self.push_tasks([Careful()], 1, retry=Retry(2), resources={"gpu": 0.5}, attempts_max=1)
        self.push_tasksystem(System(), priority=3)


def double(x: int) -> int:
    return 2 * x


def use(executor: Executor) -> Future[int]:
    return executor.submit(double, 1)


with LocalCluster(2) as cluster:
    view: ExecutorView = cluster.options(timeout_s=60, retry=Retry(3, on=OSError), resources={"licence": 2})
    future: TaskFuture[int] = view.options(priority=5, deadline_s=9.5, name="doubled").submit(double, 3)
    try:
        reveal_type(future.result())
    except TaskTimeout as late:
        reveal_type(late.evidence)
    except TaskError as other:
        reveal_type(other.evidence)
    reveal_type(future.cancel(grace_s=2))
    reveal_type(view.map(double, [1, 2], chunksize=2))
    reveal_type(use(view))
    reveal_type(cluster.submit(double, 3))
    reveal_type(view.submit(double, 3, key="three"))
"""
OPTION_TYPES = [
    "int",
    "tuple[str, ...]",
    "tuple[str, ...]",
    "bool",
    "Iterator[int]",
    "Future[int]",
    *["TaskFuture[int]"] * 2,
]
WRONG_OPTIONS = """
cluster.options(timeout=60)
cluster.options(timeout_s="60")
cluster.options(retry=OSError)
cluster.options(priority="high")
view.options(resources=["gpu"])
Retry("three")
Retry(3, every_s=1)
future.cancel(grace_s="long")


class Hasty(Task):
    timeout_s = "5"


class Wrong(ApplicationNode):
    def start_processing(self) -> None:
        self.push_task(Careful(), timeout=5)
        self.push_tasks([Careful()], retry="often")
        self.push_tasksystem(System(), prio=3)
"""
ADAPTERS = """# pyright: strict
from collections.abc import AsyncIterator

from concurrent.apps import AsyncCluster, LocalCluster, Pool


def double(x: int) -> int:
    return 2 * x


async def numbers() -> AsyncIterator[int]:
    yield 1


async def main() -> None:
    async with AsyncCluster(2) as cluster:
        reveal_type(await cluster.submit(double, 4))
        async for result in cluster.options(retry=3).map(double, numbers(), ahead=4, ordered=False):
            reveal_type(result)


with Pool(2) as pool:
    reveal_type(pool.map(double, [1, 2]))
    reveal_type(pool.apply(double, (1,)))
    reveal_type(pool.apply_async(double, (1,), callback=print).get(timeout=5))
    reveal_type(pool.imap(double, [1]).next(1.5))
with LocalCluster(2) as local, Pool(cluster=local.options(priority=1)) as shared:
    reveal_type(shared.starmap_async(double, [(1,)]).get())
"""
ADAPTER_TYPES = ["int", "int", "list[int]", "int", "int", "int", "list[int]"]
WRONG_ADAPTERS = """
Pool("two")
shared.map(double, 3)
shared.imap(double, [1], chunksize="2")
AsyncCluster(cluster=3)
wrong: str = shared.apply(double, (1,))
"""
WRONG = PROGRAM + '\nwrong: str = cluster.submit(double, 4).result()\ncluster.submit(double, "text")\n'
MESSAGES = """
from typing import Any

from concurrent.scheduling.wire.messages import to_master, to_slave
from concurrent.transport import TCPHandler, TCPServer, receives


def tell(handler: TCPHandler, server: TCPServer) -> None:
    handler.cast(to_master.returned, [1, 2])
    handler.cast(to_slave.give_back, count=3)
    reveal_type(handler.call(to_master.count_workers))

    @receives(server, to_master.took)
    def took(handler: TCPHandler, request: Any, numbers: list[int]) -> None: ...
"""
WRONG_MESSAGES = """
    handler.cast(to_master.returned, ["1"])
    handler.cast(to_master.returned)
    handler.cast(to_master.count_workers)
    handler.cast(to_slave.give_back, number=3)

    @receives(server, to_master.took)
    def other_type(handler: TCPHandler, request: Any, numbers: list[str]) -> None: ...

    @receives(server, to_master.took)
    def other_name(handler: TCPHandler, request: Any, ids: list[int]) -> None: ...
"""


def revealed(output: str) -> list[str]:
    """Return the types that a checker tells of, without the modules that they are of."""
    found = re.findall(r'(?:Revealed type is|" is) "(.*)"$', output, re.MULTILINE)
    return [re.sub(r"\b[\w.]+\.", "", one) for one in found]


def mypy(folder: Path, python: Path) -> subprocess.CompletedProcess[str]:
    options = ["--strict", "--no-incremental", "--python-executable", python]
    command = [sys.executable, "-m", "mypy", *options, "program.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=110, check=False)


def pyright(folder: Path, python: Path) -> subprocess.CompletedProcess[str]:
    """Run it; it is skipped where it is not installed, or cannot get the Node.js that it needs."""
    probe = [sys.executable, "-m", "pyright", "--version"]
    known = subprocess.run(probe, capture_output=True, text=True, timeout=110, check=False)
    if known.returncode or not known.stdout.startswith("pyright "):
        pytest.skip(f"pyright does not run here: {(known.stdout + known.stderr).strip()[-200:]}")
    command = [sys.executable, "-m", "pyright", "--pythonpath", python, "program.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=110, check=False)


Check = Callable[[Path, Path], "subprocess.CompletedProcess[str]"]
CHECKERS = pytest.mark.parametrize("check", [mypy, pyright])


@CHECKERS
def test_a_program_with_both_libraries_is_right_and_its_types_are_known(
    check: Check, installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = check(tmp_path, installation.python)
    assert done.returncode == 0, done.stdout + done.stderr
    assert revealed(done.stdout) == TYPES


@CHECKERS
def test_mistakes_in_it_are_found(check: Check, installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(WRONG, encoding="utf-8")
    done = check(tmp_path, installation.python)
    assert done.returncode == 1
    assert len(re.findall(r"program\.py:\d+.*error", done.stdout)) == 2, done.stdout


@CHECKERS
def test_what_may_be_asked_for_tasks_is_known_by_name_and_type(
    check: Check, installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(OPTIONS, encoding="utf-8")
    done = check(tmp_path, installation.python)
    assert done.returncode == 0, done.stdout + done.stderr
    assert revealed(done.stdout) == OPTION_TYPES
    (tmp_path / "program.py").write_text(OPTIONS + WRONG_OPTIONS, encoding="utf-8")
    done = check(tmp_path, installation.python)
    lines = set(re.findall(r"program\.py:(\d+).*error", done.stdout))
    assert len(lines) == 12, done.stdout


@CHECKERS
def test_pools_and_coroutines_return_what_functions_do(
    check: Check, installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(ADAPTERS, encoding="utf-8")
    done = check(tmp_path, installation.python)
    assert done.returncode == 0, done.stdout + done.stderr
    assert revealed(done.stdout) == ADAPTER_TYPES
    (tmp_path / "program.py").write_text(ADAPTERS + WRONG_ADAPTERS, encoding="utf-8")
    done = check(tmp_path, installation.python)
    lines = set(re.findall(r"program\.py:(\d+).*error", done.stdout))
    assert len(lines) == 5, done.stdout


@CHECKERS
def test_what_nodes_tell_each_other_is_compared_with_its_declaration(
    check: Check, installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(MESSAGES, encoding="utf-8")
    done = check(tmp_path, installation.python)
    assert done.returncode == 0, done.stdout + done.stderr
    assert revealed(done.stdout) == ["Future[int]"]
    (tmp_path / "program.py").write_text(MESSAGES + WRONG_MESSAGES, encoding="utf-8")
    done = check(tmp_path, installation.python)
    lines = set(re.findall(r"program\.py:(\d+).*error", done.stdout))
    assert len(lines) == 6, done.stdout


@CHECKERS
def test_a_checkout_is_found_too(check: Check, tmp_path: Path) -> None:
    import concurrent_framework

    if not Path(concurrent_framework.FOLDER).samefile(ROOT / "concurrent"):
        pytest.skip("the environment of the tests has another installation of Concurrent")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = check(tmp_path, Path(sys.executable))
    assert done.returncode == 0, done.stdout + done.stderr


@CHECKERS
def test_a_program_without_concurrent_sees_the_standard_library_as_before(
    check: Check, installation: Installation, tmp_path: Path
) -> None:
    program = "import concurrent.futures\n\nwith concurrent.futures.ThreadPoolExecutor() as pool:\n"
    program += "    reveal_type(pool.submit(len, 'text'))\n"
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = check(tmp_path, installation.python)
    assert done.returncode == 0, done.stdout + done.stderr
    assert revealed(done.stdout) == ["Future[int]"]
