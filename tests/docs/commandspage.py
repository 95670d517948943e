"""The part of ``docs/commands.md`` that is made of the parser: each command with its options.

``python -m tests.docs.commandspage`` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from concurrent.apps.completion import Spoken, spoken
from concurrent.apps.main import make_parser

FILE: Final = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
BEGIN: Final = "<!-- what follows is made of the parser: python -m tests.docs.commandspage -->\n"

COMMON: Final = frozenset(
    {"--help", "--env", "--config", "--option", "--plugin", "--verbose", "--quiet", "--debug", "--master"}
)
"""Options that are told once for all commands."""


def reference() -> str:
    """Return the text."""
    return "\n".join(_lines(spoken(make_parser())))


def _lines(program: Spoken) -> Iterator[str]:
    for path, command in program.walk():
        if not path or command.commands:
            continue
        yield f"### concurrent {path[1:].replace('/', ' ')}"
        yield ""
        yield f"{command.help[:1].upper()}{command.help[1:]}."
        yield ""
        own = [one for one in command.options if not COMMON & set(one.flags)]
        if own:
            yield "| option | what it does |"
            yield "|---|---|"
        for option in own:
            flags = ", ".join(f"`{flag}{f' {option.value}' if option.value else ''}`" for flag in option.flags)
            yield f"| {flags.replace('|', chr(92) + '|')} | {option.help.replace('|', chr(92) + '|')} |"
        if own:
            yield ""


if __name__ == "__main__":
    head, mark, _ = FILE.read_text(encoding="utf-8").partition(BEGIN)
    FILE.write_text(f"{head}{mark}\n{reference()}", encoding="utf-8")
