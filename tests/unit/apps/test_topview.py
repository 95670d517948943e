"""What ``concurrent top`` shows of a moment."""

from __future__ import annotations

from io import StringIO

from concurrent.apps.commands.output import Screen
from concurrent.apps.commands.topview import Picture, picture_of


def test_failures_that_were_tried_again_are_counted_beside_those_that_were_not() -> None:
    groups = [
        {"count": 2, "tried_again": 1, "function": "load", "exception": "KeyError"},
        {"count": 0, "tried_again": 1234, "function": "fetch", "exception": "OSError"},
    ]
    lines = picture_of(Picture.from_json({"failures": {"items": groups, "total": 2}}), Screen(StringIO()))
    rows = [line.split() for line in lines[lines.index("FAILURES") + 1 :]]
    assert rows[0][:3] == ["FAILED", "TRIED", "AGAIN"]
    assert [row[:4] for row in rows[1:]] == [["2", "1", "load", "KeyError"], ["0", "1,234", "fetch", "OSError"]]
