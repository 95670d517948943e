"""What people paste into a shell does what it says, whatever somebody has called a job."""

from __future__ import annotations

import shlex

import pytest

from concurrent.core.typed import typed


@pytest.mark.parametrize("name", ["hunt/1", "a b", "x; rm -rf ~", "$(id)", "`id`", "it's", "-x", "--all"])
def test_a_name_stays_one_argument(name: str) -> None:
    assert typed("logs", "hunt") == "concurrent logs hunt"
    words = shlex.split(typed("logs", name))
    assert words == ["concurrent", "logs", *(["--"] if name.startswith("-") else []), name]
