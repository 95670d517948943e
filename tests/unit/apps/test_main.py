"""The command line: what is imported for a command, and what is said of a wrong one."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from concurrent.apps.api import EXIT_USAGE
from concurrent.apps.application import ApplicationNode
from concurrent.apps.commands import COMMANDS
from concurrent.apps.commands.app import class_parser
from concurrent.apps.main import main, make_parser, run_command
from concurrent.apps.version import VERSION
from concurrent.core.errors import RemoteError
from concurrent.core.items import IntItem

SHOW_IMPORTED = """
import sys
from concurrent.apps.main import main
main(["version"])
package = "concurrent.apps.commands."
print(sorted(name.removeprefix(package) for name in sys.modules if name.startswith(package)))
"""


def test_a_command_that_is_asked_for_is_imported_alone() -> None:
    done = subprocess.run([sys.executable, "-c", SHOW_IMPORTED], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['common', 'version']"


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_for_the_version_no_command_is_imported(option: str) -> None:
    program = f"""
import sys
from concurrent.apps.main import main
try:
    main([{option!r}])
except SystemExit as end:
    print(end.code, "concurrent.apps.commands.common" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"Concurrent {VERSION}", "0 False"]


def test_all_are_known_where_none_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make_parser().parse_args(["--help"])
    said = capsys.readouterr().out
    assert all(f"\n    {name} " in said for name in COMMANDS)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["slave", "--resources", "gpu=2"], "did you mean -o slave.resources=gpu=2?"),
        (["slave", "--resources=gpu=2"], "did you mean -o slave.resources=gpu=2?"),
        (["slave", "--slave.resources", "gpu=2"], "did you mean -o slave.resources=gpu=2?"),
        (["slave", "--slave.resorces"], "did you mean -o slave.resources=VALUE?"),
        (["slave", "--worker-memory-max", "1GiB", "-q"], "did you mean -o slave.worker_memory_max=1GiB?"),
        (["slave", "--logging.level", "-q"], "did you mean -o logging.level=VALUE?"),
        (["master", "--infeasible=fail"], "did you mean -o scheduling.infeasible=fail?"),
        (["app", "--weight", "3", "x.py"], "did you mean -o application.weight=3?"),
        (["slave", "--workrs", "2"], "did you mean --workers?"),
    ],
)
def test_an_option_of_the_configuration_that_is_taken_for_an_argument_is_named(
    words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        make_parser().parse_args(words)
    assert end.value.code == EXIT_USAGE
    said = capsys.readouterr().err
    assert said.startswith(f"usage: concurrent {words[0]}")
    assert meant in said


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["taks"], "Did you mean tasks?"),
        (["Status"], "Did you mean status?"),
        (["keys", "invit"], "Did you mean invite?"),
        (["completion", "bsh"], "Did you mean bash?"),
        (["zzzz"], "Choose from master, slave"),
    ],
)
def test_a_word_that_is_near_to_a_command_is_answered_with_that(
    words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        make_parser().parse_args(words)
    assert end.value.code == EXIT_USAGE
    assert meant in capsys.readouterr().err


@pytest.mark.parametrize("word", ["--zzz", "other"])
def test_what_is_like_no_option_is_refused_without_advice(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        make_parser().parse_args(["slave", word])
    assert capsys.readouterr().err.endswith(f"error: unrecognized arguments: {word}\n")


@pytest.mark.parametrize(
    ("words", "own"),
    [
        (["main.py"], []),
        (["main.py", "--"], []),
        (["main.py", "-w", "2", "--", "-w", "3", "--", "data.csv"], ["-w", "3", "--", "data.csv"]),
        (["-w", "2", "main.py", "--", "--help"], ["--help"]),
    ],
)
def test_what_stands_behind_two_dashes_is_for_a_script(words: list[str], own: list[str]) -> None:
    args = make_parser().parse_args(["app", *words])
    assert args.script_arguments == own
    assert args.workers in (None, 2)


@pytest.mark.parametrize("words", [["data.csv"], ["-w", "2", "data.csv"], ["--epochs", "3"]])
def test_what_stands_there_without_them_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        make_parser().parse_args(["app", "main.py", *words])
    assert "arguments of a script stand behind --" in capsys.readouterr().err


def test_an_application_has_no_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["app", "dna", "--", "data.csv"]) == EXIT_USAGE
    assert "dna is an application, which has options and no arguments" in capsys.readouterr().err


class Painter(ApplicationNode):
    pixels = IntItem("painter", "pixels", 9, "How many.")
    port = IntItem("painter", "port", 9, "Another one.")


def test_a_program_names_its_own_options_first(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        class_parser(Painter).parse_args(["--pixels", "4", "--port=7"])
    said = capsys.readouterr().err
    assert "did you mean -o painter.pixels=4?" in said
    assert "did you mean -o painter.port=7?" in said


def test_what_a_peer_raises_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def run(_args: argparse.Namespace) -> int:
        raise RemoteError("no \x1b[2Jsuch job")

    assert run_command(argparse.Namespace(run=run, debug=False)) != 0
    assert capsys.readouterr().err == "concurrent: no ?[2Jsuch job\n"
