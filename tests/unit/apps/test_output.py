"""What commands print: tables that fit, JSON, times, colours, and what is watched."""

from __future__ import annotations

import argparse
import io
import json
from typing import Any

import pytest

from concurrent.apps.columns import Column, Link, count
from concurrent.apps.commands.output import (
    BOLD,
    Screen,
    add_output_arguments,
    fitted,
    iso_time,
    left_out_line,
    print_json,
    show,
    table,
)
from concurrent.core.errors import NodeError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_output_arguments(parser)
    return parser.parse_args(words)


def test_where_there_is_room_nothing_is_cut() -> None:
    cells = [["NAME", "COUNT"], ["x" * 200, "7"]]
    lines, shown = fitted(cells, [False, True], None)
    assert shown == 2
    assert lines[0] == "NAME".ljust(200) + "  COUNT"
    assert lines[1] == "x" * 200 + "      7"


@pytest.mark.parametrize("width", [100, 60, 40, 25, 12])
def test_a_table_fits_into_its_width(width: int) -> None:
    cells = [["JOB", "STATE", "DONE", "WORDS"], ["a long name of a job", "running", "1,000", "because " * 9]]
    lines, shown = fitted(cells, [False, False, True, False], width)
    assert max(map(len, lines)) <= width
    assert shown >= 1
    assert lines[1].startswith("a long")


def test_long_texts_are_cut_before_columns_are_left_out() -> None:
    lines, shown = fitted([["A", "B", "C"], ["a" * 50, "b" * 50, "7"]], [False, False, True], 40)
    assert shown == 3
    assert lines[1].endswith("7")
    assert lines[1].count("\N{HORIZONTAL ELLIPSIS}") == 2


def test_wide_characters_take_two_places() -> None:
    lines, _ = fitted([["A", "B"], ["\N{CJK UNIFIED IDEOGRAPH-6F22}", "x"], ["ab", "y"]], [False, False], None)
    assert lines == ["A   B", "\N{CJK UNIFIED IDEOGRAPH-6F22}  x", "ab  y"]


def test_a_table_says_what_it_has_no_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    columns = (Column[str]("first", str), Column[str]("second", str), Column[str]("third", len, count))
    lines = table(columns, ["a name of some length"], Screen(Terminal(), {"NO_COLOR": "1"}))
    assert lines[0].split() == ["FIRST"]
    assert lines[-1] == "(no room for: second, third; a wider terminal or --json shows them)"


def test_what_peers_say_commands_no_terminal_and_stays_on_its_line() -> None:
    columns = (Column[str]("name", lambda text: Link(text, "http://a/")),)
    assert table(columns, ["a\x1b[2J\nb"], Screen(io.StringIO(), {}))[1:] == ["a?[2J b"]


@pytest.mark.parametrize(
    ("stream", "variables", "has_colours"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
    ],
)
def test_colours_go_to_terminals_that_want_them(
    stream: io.StringIO, variables: dict[str, str], has_colours: bool
) -> None:
    assert Screen(stream, variables).painted("x", BOLD) == ("\x1b[1mx\x1b[0m" if has_colours else "x")


def test_times_are_iso_8601() -> None:
    from datetime import datetime

    assert datetime.fromisoformat(iso_time(1_700_000_000.4)).timestamp() == 1_700_000_000
    assert iso_time(0.0) == "-"


def test_what_is_left_out_is_said() -> None:
    assert left_out_line(0, "no") == []
    assert left_out_line(1200, "--limit shows more") == [
        "... and 1,200 more, which are not shown; --limit shows more"
    ]


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"items": [1], "total": 1, "left_out": 0})
    assert json.loads(capsys.readouterr().out) == {"items": [1], "total": 1, "left_out": 0}


@pytest.mark.parametrize("words", [["--watch", "soon"], ["--watch", "0"], ["--watch", "nan"]])
def test_a_watch_needs_a_time(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(*words)
    assert "is no number of seconds" in capsys.readouterr().err


class Answers:
    """Answers one after the other; a Ctrl-C ends them."""

    def __init__(self, *answers: Any) -> None:
        self._answers = [*answers, KeyboardInterrupt()]

    def __call__(self) -> Any:
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def shown(answer: Any, _screen: Screen) -> str:
    return f"it is {answer['it']}"


def test_what_is_watched_is_shown_again_though_the_master_is_away_for_a_while(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers = Answers({"it": 1}, NodeError("away"), {"it": 2})
    assert show(parsed("--watch", "0.1"), answers, shown) == 0
    said = capsys.readouterr()
    assert said.out == "it is 1\n\nit is 2\n\n"
    assert said.err == "concurrent: away\n"


def test_as_json_each_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(parsed("--watch", "0.1", "--json"), Answers({"it": 1}, {"it": 2}), shown) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [{"it": 1}, {"it": 2}]


def test_who_watches_what_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NodeError):
        show(parsed("--watch"), Answers(NodeError("nobody there")), shown)
    assert show(parsed(), Answers({"it": 3}), shown) == 0
    assert capsys.readouterr().out == "it is 3\n"


def test_a_terminal_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    show(parsed("--watch", "0.1"), Answers({"it": 1}), shown)
    assert terminal.getvalue() == "\x1b[2J\x1b[Hit is 1\x1b[K\n\x1b[J"
