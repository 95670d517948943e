"""The page on commands says of each command and option what the parser says."""

from __future__ import annotations

import re

from concurrent.apps import api
from tests.docs.commandspage import BEGIN, COMMON, FILE, reference


def test_the_reference_is_that_of_the_parser() -> None:
    _, mark, rest = FILE.read_text(encoding="utf-8").partition(BEGIN)
    assert mark
    assert rest == f"\n{reference()}", "write it anew: python -m tests.docs.commandspage"


def test_what_all_commands_take_and_return_is_told_above() -> None:
    head, _, _ = FILE.read_text(encoding="utf-8").partition(BEGIN)
    assert {flag for flag in COMMON if f"`{flag}" not in head} == set()
    codes = {getattr(api, name) for name in api.__all__ if name.startswith("EXIT_")}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", head, re.M)} == codes
