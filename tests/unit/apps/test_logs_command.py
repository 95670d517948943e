"""What ``concurrent logs --follow`` prints of what a master answers, time after time."""

from __future__ import annotations

from typing import cast

from concurrent.apps.commands.logs import JobOutputs
from concurrent.apps.observed import OutputRow, OutputsList
from concurrent.apps.observemaster import ObserveMaster


class Told:
    """A master that tells of one task."""

    def __init__(self) -> None:
        self.said = ""
        self.state = "running"

    def outputs(self, _job: str, **_wanted: int) -> OutputsList:
        row = OutputRow("hunt/1", "look", self.state, self.said)
        return OutputsList((row,), total=1, left_out=0, open=1, after=0)


def printed_of(outputs: JobOutputs) -> list[str]:
    return [row.output for row in outputs.new()]


def test_nothing_is_printed_twice_after_a_moment_in_which_a_task_had_nothing() -> None:
    master = Told()
    outputs = JobOutputs(cast("ObserveMaster", master), "hunt")
    printed = []
    for said in ("", "line 1\n", "", "line 1\nline 2\n"):
        master.said = said
        printed += printed_of(outputs)
    assert printed == ["line 1\n", "line 2\n"]


def test_of_what_has_ended_nothing_is_kept_once_it_cannot_come_again() -> None:
    master = Told()
    outputs = JobOutputs(cast("ObserveMaster", master), "hunt")
    master.said = "line 1\n"
    assert printed_of(outputs) == ["line 1\n"]
    master.state = "finished"
    assert printed_of(outputs) == printed_of(outputs) == []
    master.said = ""
    assert printed_of(outputs) == []
    master.said = "line 1\n"
    assert printed_of(outputs) == ["line 1\n"]
