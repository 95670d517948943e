"""Which process it is, and whether it is there still."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from concurrent.core.process import identity
from concurrent.core.process.identity import has_ended, this_process

PRINT = "from concurrent.core.process.identity import this_process; print(this_process(), flush=True); input()"


def other_process() -> tuple[subprocess.Popen[str], str]:
    """Start a process; return it and the text that stands for it."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRINT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_process_is_there_until_it_has_ended_whether_its_parent_looks_or_not() -> None:
    process, text = other_process()
    with process:
        assert text != this_process()
        assert not has_ended(text)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
        assert has_ended(text)
    assert has_ended(text)


def test_a_number_that_is_used_again_is_another_process() -> None:
    realm, pid, begun_at = this_process().split("/")
    assert not has_ended(f"{realm}/{pid}/{begun_at}")
    assert has_ended(f"{realm}/{pid}/{int(begun_at) + 1}")


def test_of_others_it_is_not_known() -> None:
    realm, pid, begun_at = this_process().split("/")
    for text in ("", "mine", f"elsewhere/{pid}/1", f"{realm}/x/1", f"{realm}/{pid}", f"{realm}/-1/{begun_at}"):
        assert not has_ended(text)


def test_without_a_kernel_that_says_it_the_machine_and_the_number_have_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identity, "_stat", lambda _pid: None)
    monkeypatch.setattr(identity, "_realm", lambda: "anna")
    assert this_process() == f"anna/{os.getpid()}/"
    assert not has_ended(this_process())
    process, _ = other_process()
    with process:
        process.kill()
    assert has_ended(f"anna/{process.pid}/")
    assert not has_ended(f"anna/{'9' * 30}/")
