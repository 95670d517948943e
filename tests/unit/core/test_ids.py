"""Names of nodes, and what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from concurrent.core.ids import has_ended, new_node_id


def ended_pid() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_no_two_nodes_have_the_same_name() -> None:
    assert new_node_id("slave") != new_node_id("slave")
    assert re.fullmatch(rf"slave-anna-{os.getpid()}-[0-9a-f]{{8}}", new_node_id("slave", "anna"))


def test_a_node_of_this_machine_has_ended_when_its_process_has() -> None:
    here = new_node_id("slave")
    assert not has_ended(here)
    assert has_ended(here.replace(f"-{os.getpid()}-", f"-{ended_pid()}-"))


def test_of_others_it_is_not_known() -> None:
    pid = ended_pid()
    far = f"slave-elsewhere-far-{pid}-0123abcd"
    huge = new_node_id("slave").replace(str(os.getpid()), "9" * 30)
    assert not any(map(has_ended, (far, f"slave-{pid}", "mine", "", huge)))
