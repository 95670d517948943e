"""The protocol page and its design note have each message between nodes, as it is declared."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from concurrent.apps import messages as joining
from concurrent.scheduling.tasks.terms import Terms
from concurrent.scheduling.wire.messages import to_master, to_owner, to_slave, to_system
from concurrent.scheduling.wire.messages.directions import APPLICATION, MASTER, SLAVE, SYSTEM
from concurrent.transport.calls.declaration import Call, Cast, Hint, Message
from concurrent.transport.session.messages import FEATURES

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "protocol.md").read_text(encoding="utf-8")
NOTE = (DOCS / "design" / "10-protocol.md").read_text(encoding="utf-8")
MODULES = (joining, to_master, to_owner, to_slave, to_system)
ROW = re.compile(r"^\| `(\w+\([^`]*\))` \|(?: \*(call|hint)\*)?(?:.* with the feature `(\w+)`)?", re.M)

Row = tuple[str, str, str]
"""How a message is called, its kind, and its feature if it has one."""


def declared(*modules: ModuleType) -> list[Message]:
    """Return the messages that these modules declare."""
    return [one for module in modules for one in vars(module).values() if isinstance(one, Message)]


def row_of(message: Message) -> Row:
    """Return what the page has to say of a message."""
    kind = "hint" if isinstance(message, Hint) else "call" if isinstance(message, Call) else ""
    return message.usage, kind, message.feature or ""


def documented(heading: str, page: str = PAGE) -> list[Row]:
    """Return what the table below a heading says."""
    section = page.partition(f"### {heading}\n")[2].partition("\n### ")[0]
    return ROW.findall(section)


@pytest.mark.parametrize(
    ("heading", "sender", "receiver"),
    [
        ("From an application to the master", APPLICATION, MASTER),
        ("From a task system to the master", SYSTEM, MASTER),
        ("From a slave to the master", SLAVE, MASTER),
        ("From the master to an application", MASTER, APPLICATION),
        ("From the master to a task system", MASTER, SYSTEM),
        ("From the master to a slave", MASTER, SLAVE),
    ],
)
def test_a_table_has_just_what_is_declared(heading: str, sender: str, receiver: str) -> None:
    shared = {row_of(one) for one in declared(*MODULES) if APPLICATION in one.senders | one.receivers}
    expected = {
        row_of(one)
        for one in declared(to_master, to_owner, to_slave, to_system)
        if sender in one.senders and receiver in one.receivers
    }
    if APPLICATION not in (sender, receiver):
        expected -= shared  # what others may say too is in the table of applications
    rows = documented(heading)
    assert sorted(rows) == sorted(expected)


def test_a_row_that_differs_is_found() -> None:
    page = "### A\n\n| `code(owner: int)` | *hint*, with the feature `b`: x |\n| `run()` | y |\n\n### B\n"
    assert documented("A", page) == [("code(owner: int)", "hint", "b"), ("run()", "", "")]


def test_the_page_has_how_nodes_join() -> None:
    section = PAGE.partition("### Joining\n")[2].partition("\n### ")[0]
    found = re.findall(r"`(\w+\((?:node_id|serials): [^`]*\))`", section)
    assert sorted(found) == sorted(one.usage for one in declared(joining))


def test_the_page_has_the_features() -> None:
    features = {one.feature for one in declared(*MODULES) if one.feature is not None}
    section = PAGE.partition("| feature | listed by | meaning |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([\w-]+)` \|", section, re.MULTILINE)) == {*FEATURES, *features}


def test_the_design_note_has_which_casts_may_be_lost() -> None:
    rows = re.findall(r"^\| (`.*?) \| (session ends|a line in the log: they)", NOTE, re.MULTILINE)
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for names, what in rows:
        found[what == "session ends"].update(re.findall(r"`(\w+)`", names))
    casts = [one for one in declared(*MODULES) if isinstance(one, Cast)]
    assert found[True] == {one.name for one in casts if one.is_vital}
    assert found[False] == {one.name for one in casts if not one.is_vital}


def test_the_page_has_each_term_with_its_default() -> None:
    section = PAGE.partition("\n### Terms\n")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\w+) \|", section, re.MULTILINE)
    shown = {(one.name, type(one.default).__name__, str(one.default) or "empty") for one in fields(Terms)}
    assert set(rows) == shown
