"""Workers of another interpreter: what is found out about it, and what they import from where."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from concurrent.core.errors import ConfigurationError
from concurrent.scheduling.processes.otherpython import OtherPython, look_at
from concurrent.scheduling.processes.spawn import SpawnLauncher, start_launcher
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.scheduling.pool_user import TIMEOUT_S
from tests.integration.scheduling.test_launchers import Launched

INSIDE = "import cloudpickle, grid_tools, sys; sys.stdout.write(f'{sys.prefix} {grid_tools.WHERE}')"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has one module and nothing of ours."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=TIMEOUT_S * 3)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "grid_tools.py").write_text("WHERE = 'there'\n")
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def other(python: Path) -> OtherPython:
    return look_at(str(python))


def test_an_environment_without_the_framework_will_do(other: OtherPython, python: Path) -> None:
    assert other.executable == str(python)
    assert any(folder.startswith(str(python.parent.parent)) for folder in other.folders)
    assert not set(other.folders) & {one for one in sys.path if "site-packages" in one}


@pytest.mark.parametrize("kind", ["zygote", "spawn"])
def test_children_are_of_it_and_import_from_its_folders(
    other: OtherPython, python: Path, loop: NodeLoop, kind: str
) -> None:
    launcher = start_launcher(python=other) if kind == "zygote" else SpawnLauncher(python=other)
    launched = Launched(launcher, loop)
    try:
        loop.call(
            lambda: launcher.launch(
                "builtins:exec",
                (),
                [INSIDE],
                output=launched.output,
                on_exit=lambda *end: launched.ends.put(end),
            ),
            timeout_s=TIMEOUT_S,
        )
        _, signal, code_of_exit, printed = launched.end()
        assert (signal, code_of_exit) == (None, 0), printed
        assert printed == f"{python.parent.parent} there"
    finally:
        launcher.stop()


def script(folder: Path, text: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_what_is_no_interpreter_for_workers_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        look_at(str(tmp_path / "nothing"))
    (tmp_path / "text").write_text("text")
    with pytest.raises(ConfigurationError, match="it cannot be run"):
        look_at(str(tmp_path / "text"))
    other = """echo '["cpython-27", [2, 7, 18]]'; exit 1"""
    with pytest.raises(ConfigurationError, match=r"it is Python 2\.7\.18 \(cpython-27\)"):
        look_at(script(tmp_path, other))
    with pytest.raises(ConfigurationError, match="it cannot run workers: No module named msgpack"):
        look_at(script(tmp_path, "echo 'No module named msgpack' >&2; exit 1"))
    with pytest.raises(ConfigurationError, match="it cannot run workers"):
        look_at(script(tmp_path, "echo nonsense"))


@pytest.mark.parametrize("kind", ["zygote", "spawn"])
def test_a_launcher_beside_another_one_is_of_its_interpreter_and_ends_first_or_with_it(
    other: OtherPython, python: Path, loop: NodeLoop, kind: str
) -> None:
    launcher = start_launcher() if kind == "zygote" else SpawnLauncher()
    launched = Launched(launcher, loop)
    beside = [loop.call(lambda: launcher.beside(other), timeout_s=TIMEOUT_S) for _ in range(2)]

    def launch(which: int, code: str) -> None:
        loop.call(
            lambda: beside[which].launch(
                "builtins:exec", (), [code], output=launched.output,
                on_exit=lambda *end: launched.ends.put((which, *end)),  # type: ignore[arg-type]
            ),
            timeout_s=TIMEOUT_S,
        )  # fmt: skip

    try:
        launch(0, INSIDE)
        which, _, signal, code = launched.end()[:4]
        assert (which, signal, code) == (0, None, 0)
        for each in range(2):
            launch(each, "import time; time.sleep(600)")
        loop.call(beside[0].retire, timeout_s=TIMEOUT_S)
        which, _, signal = launched.end()[:3]
        assert (which, signal) == (0, 9)
    finally:
        launcher.stop()
