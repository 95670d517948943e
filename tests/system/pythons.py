"""Other Pythons of this machine, and environments for them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

__all__ = ["other_pythons", "with_dependencies"]

DEPENDENCIES = ("pyzmq", "web.py", "cheroot", "configobj", "msgpack", "cloudpickle", "cryptography")


def other_pythons() -> list[str]:
    """Return interpreters of other minor versions, as far as they are to be found here; the newest is last."""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    names = [f"3.{minor}" for minor in range(10, 16) if f"3.{minor}" != own]
    found: list[str] = []
    for name in names:
        on_path = shutil.which(f"python{name}")
        found += [on_path] if on_path else []
        found += map(str, sorted(Path.home().glob(f".pyenv/versions/{name}.*/bin/python{name}")))
    return [python for python in found if works(python, "import venv, ensurepip")]


def works(python: str, program: str) -> bool:
    """Tell whether an interpreter runs a program."""
    done = subprocess.run([python, "-c", program], capture_output=True, timeout=20, check=False)
    return done.returncode == 0


def with_dependencies(python: str, folder: Path) -> str:
    """Return the Python of a new environment with what the framework needs; skip the test if that cannot be."""
    subprocess.run([python, "-m", "venv", folder], check=True, capture_output=True, timeout=60)
    made = str(folder / "bin/python")
    pip = [made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *DEPENDENCIES]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode:
        pytest.skip(f"{python} has no packages and cannot install them: {done.stderr[-200:]}")
    return made
