"""The wheel of this checkout, what it holds, and a virtual environment that it is installed in."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns("build", "dist", ".*", "__pycache__", "*.egg-info", "*.so")

# Added to the copy that is built, so that what setup.py does with each folder shows by a known file.
PROBES = {
    "samples/probe/__init__.py": '"""A sample."""\n',
    "samples/probe/page.html": "<p>A page.</p>\n",
    "samples/probe/test_probe.py": "def test_it(): pass\n",
    "native/probe_py.py": '"""A pure Python twin."""\n',
    "conf/probe.ini": "[probe]\n",
}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel: one for all processes of the run, of which the first that needs it builds it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared-wheel"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return next(folder.glob("*.whl"), None) or _built(folder)


def _built(folder: Path) -> Path:
    """Build the wheel; return where it is."""
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=NOT_COPIED)
    for name, text in PROBES.items():
        probe = source / name
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.write_text(text, encoding="utf-8")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "wheel", *options, "-w", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def site_folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel puts into site-packages."""
    folder = tmp_path_factory.mktemp("installed") / "site"
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


class Installation:
    """A virtual environment with the wheel; its dependencies come from the environment of the tests.

    :param folder: the folder of the environment, which is outside of the checkout.
    """

    def __init__(self, folder: Path) -> None:
        programs = folder / ("Scripts" if os.name == "nt" else "bin")
        self.folder = folder
        self.python = programs / "python"
        self.command = programs / "concurrent"
        self.site_folder = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))

    def run(
        self, *arguments: str | Path, variables: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the environment's Python, with ``variables`` beside those that are there."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            env={**kept, **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="session")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel as pip installs it."""
    made = Installation(tmp_path_factory.mktemp("installed") / "venv")
    venv = [sys.executable, "-m", "venv", "--without-pip", str(made.folder)]
    subprocess.run(venv, check=True, timeout=60)
    # Start-up files of a folder that a .pth file names are not read: only the wheel's own count.
    dependencies = sysconfig.get_path("purelib")
    (made.site_folder / "dependencies.pth").write_text(f"{dependencies}\n", encoding="utf-8")
    options = ["--quiet", "--no-deps", "--no-index", "--ignore-installed", "--disable-pip-version-check"]
    done = made.run("-m", "pip", "install", *options, wheel)
    assert done.returncode == 0, done.stderr
    return made
