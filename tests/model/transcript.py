"""Transcripts: what a ledger is told, and what it answers, as text that people read.

A transcript is a file in ``tests/transcripts``. Lines that begin with ``#`` are comments. A block is one or
more events, a line ``----``, and the commands that they give, up to an empty line. ``-`` is an empty value::

    TasksSubmitted owner=1 first_id=0 payloads=[a,b]
    ----
    Accept owner=1 last_id=1

``job=mine`` stands for what a job of this name asked for. ``explain 7`` is answered with the story of a task.
``restart`` goes on with a new ledger, which is told what was recorded; it numbers tasks from 1001 on, or 2001.
``python -m tests.model.transcript`` writes all answers anew; look at the difference before you keep it.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

from concurrent.scheduling.ledger import events
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, FINISHED
from concurrent.scheduling.tasks.terms import ATTEMPTS_MAX, Terms

__all__ = ["FOLDER", "answered"]

FOLDER = Path(__file__).resolve().parents[1] / "transcripts"

STATUSES = {"finished": FINISHED, "failed": FAILED, "died": DIED, "cancelled": CANCELLED}
NAMES = {number: name for name, number in STATUSES.items()}
BYTES = ("payloads", "failures")


def answered(text: str) -> str:
    """Return a transcript with the answers that a ledger gives now."""
    master = _Master()
    return "\n\n".join(map(master.block, text.strip().split("\n\n"))) + "\n"


class _Master:
    """A ledger, and what it had recorded."""

    def __init__(self) -> None:
        self._epoch = 0
        self._ledger = Ledger(is_recorded=True)
        self._kept: list[events.Recordable] = []

    def block(self, block: str) -> str:
        """Return a block with the answers of the ledger."""
        asked, line, _ = block.partition("----")
        lines = asked.rstrip().splitlines()
        if not line:
            return block
        answers = [answer for one in lines if not one.startswith("#") for answer in self._answers(one)]
        return "\n".join([*lines, "----", *answers])

    def _answers(self, line: str) -> Iterator[str]:
        name, *words = line.split()
        if name == "explain":
            yield self._ledger.explain(int(words[0]))
        elif name == "restart":
            self._epoch += 1
            self._ledger = Ledger(is_recorded=True, first_number=self._epoch * 1000 + 1)
            self._ledger.restore(self._kept)
        else:
            for command in self._ledger.apply(_event(name, words)):
                if isinstance(command, events.Record):
                    self._kept.append(deepcopy(command.what))
                yield _shown(command)


def _event(name: str, words: list[str]) -> Any:
    cls = getattr(events, name)
    values = dict(word.partition("=")[::2] for word in words)
    terms = {"terms": Terms(attempts_max=int(values.pop("attempts_max")))} if "attempts_max" in values else {}
    return cls(**{name: _value(name, value) for name, value in values.items()}, **terms)


def _value(name: str, text: str) -> Any:
    if text.startswith("["):
        return [_value(name, one) for one in text[1:-1].split(",")] if text != "[]" else []
    if text == "-":
        text = ""
    if name in BYTES:
        return text.encode()
    if name == "job":
        return JobSpec(name=text)
    if name == "statuses":
        return STATUSES[text]
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text.replace("_", " ")


def _shown(one: Any) -> str:
    """Return a command in the form of an event; fields that have their usual values are left out."""
    parts = [type(one).__name__]
    for field in fields(one):
        value = getattr(one, field.name)
        usual = field.default if field.default_factory is MISSING else field.default_factory()
        if isinstance(value, Terms):
            parts.append(f"attempts_max={value.attempts_max}" if value.attempts_max != ATTEMPTS_MAX else "")
        elif value != usual:
            parts.append(f"{field.name}={_text(field.name, value)}")
    return " ".join(filter(None, parts))


def _text(name: str, value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(_text(name, one) for one in value)}]"
    if isinstance(value, bytes):
        value = value.decode().replace("\0", " | ")
    if name == "statuses":
        return NAMES[value]
    if isinstance(value, JobSpec):
        return value.name
    if is_dataclass(value):
        return f"({_shown(value)})"
    return str(value).replace(" ", "_") or "-"


def main() -> None:
    """Write all answers anew."""
    for path in sorted(FOLDER.glob("*.txt")):
        path.write_text(answered(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
