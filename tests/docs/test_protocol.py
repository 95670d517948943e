"""The protocol page has each method of the compute channel, with its arguments."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from concurrent.apps.client import ClusterClient
from concurrent.apps.masterapi import MasterAPI
from concurrent.scheduling.owner.taskclient import TaskClient
from concurrent.scheduling.slave.taskmanager import GenericTaskManager, ZMQTaskManager
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.session.messages import FEATURES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
UNUSED: Any = None


def documented(heading: str) -> set[str]:
    """Return the methods in the table below a heading, as ``name(argument, ...)``."""
    section = PAGE.partition(f"### {heading}\n")[2].partition("\n### ")[0]
    return set(re.findall(r"^\| `(\w+\([\w, ]*\))`", section, re.MULTILINE))


def registered(*owners: Any) -> set[str]:
    """Return the methods that these register, in the same form."""
    endpoint = SimpleNamespace(methods=MethodRegistry(), receive_into=lambda _new_block: None)
    for owner in owners:
        owner.register_methods(endpoint)
    return {
        f"{method.name}({', '.join(name.lstrip('_') for name in list(method.signature.parameters)[2:])})"
        for method in endpoint.methods
    }


def test_the_page_has_what_peers_may_call_at_a_master() -> None:
    headings = ("an application to the master", "a task system to the master", "a slave to the master")
    documents = set().union(*(documented(f"From {heading}") for heading in headings))
    assert documents == registered(MasterAPI(UNUSED, UNUSED, UNUSED, alike_max=1))


def test_the_page_has_the_features() -> None:
    endpoint = SimpleNamespace(methods=MethodRegistry(), receive_into=lambda _new_block: None)
    MasterAPI(UNUSED, UNUSED, UNUSED, alike_max=1).register_methods(endpoint)
    features = {*FEATURES, *endpoint.methods.features}
    endpoint.methods = MethodRegistry()
    client = ClusterClient(UNUSED, "application", on_outcomes=UNUSED, on_running=UNUSED)
    client._register_methods(endpoint)
    GenericTaskManager.__new__(GenericTaskManager).register_methods(endpoint)
    features |= set(endpoint.methods.features)
    section = PAGE.partition("| feature | listed by | meaning |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([\w-]+)` \|", section, re.MULTILINE)) == features


def hints() -> set[str]:
    """Return the methods that the page says are hints."""
    return set(re.findall(r"^\| `(\w+)\([\w, ]*\)` \| \*hint\*", PAGE, re.MULTILINE))


def test_the_page_says_which_casts_may_be_lost() -> None:
    endpoint = SimpleNamespace(methods=MethodRegistry())
    MasterAPI(UNUSED, UNUSED, UNUSED, alike_max=1).register_methods(endpoint)
    ClusterClient(UNUSED, "application", on_outcomes=UNUSED)._register_methods(endpoint)
    calls = set(re.findall(r"^\| `(\w+)\([\w, ]*\)` \| \*call\*", PAGE, re.MULTILINE))
    assert hints() | calls == {method.name for method in endpoint.methods if not method.is_vital}


def test_the_page_has_what_a_master_may_call_at_a_slave() -> None:
    documents = documented("From the master to a slave")
    assert documents == registered(GenericTaskManager.__new__(GenericTaskManager))
    assert documents == registered(ZMQTaskManager.__new__(ZMQTaskManager))


def test_the_page_has_what_a_master_may_call_at_an_application() -> None:
    documents = documented("From the master to an application")
    client = TaskClient(UNUSED, UNUSED, on_outcomes=UNUSED, on_running=list)
    assert registered(client) == {name for name in documents if not name.startswith(("tasksystem_", "notice"))}
