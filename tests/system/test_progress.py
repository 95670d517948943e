"""Progress of an application on a terminal that processes of its cluster write to as well."""

from __future__ import annotations

import re
import sys

import pytest

from tests.ptys import run_on_terminal
from tests.system.cluster import APPS

pytestmark = pytest.mark.system


def test_lines_of_the_program_and_of_its_slave_are_whole_and_the_bar_is_last() -> None:
    command = [sys.executable, "-m", "concurrent.apps.main", "app", APPS / "far.py", "-w", "2"]
    code, lines, text = run_on_terminal(command, columns=160)
    assert code == 0, text
    finished = [line for line in lines if line.startswith("finished ")]
    assert sorted(finished) == sorted(f"finished {number}" for number in range(40))
    said = [match[1] for line in lines if (match := re.search(r"said on a worker: (\d+) -{20}$", line))]
    assert sorted(said) == sorted(map(str, range(40)))
    assert [line for line in lines if line.startswith("far [")] == [lines[-1]]
    assert "100% 40/40" in lines[-1]
