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

    def outputs(self, _job: str, **_wanted: int) -> OutputsList:
        row = OutputRow("hunt/1", "look", "running", self.said)
        return OutputsList((row,), total=1, left_out=0, open=1, after=0)


def test_nothing_is_printed_twice_after_a_moment_in_which_a_task_had_nothing() -> None:
    master = Told()
    outputs = JobOutputs(cast("ObserveMaster", master), "hunt")
    printed = []
    for said in ("", "line 1\n", "", "line 1\nline 2\n"):
        master.said = said
        printed += [row.output for row in outputs.new()]
    assert printed == ["line 1\n", "line 2\n"]
