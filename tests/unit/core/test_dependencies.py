"""The program's own modules, and those that have the same names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from concurrent.core.dependencies import make_importable
before = sys.modules.get("sys"), sys.modules.get("time")
make_importable(sys.argv[1])
import sys as found, time
assert (found, time) == before and found is sys
"""


@pytest.mark.parametrize("name", ["sys", "time"])
def test_a_file_named_like_a_built_in_module_does_not_take_its_place(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
