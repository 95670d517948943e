"""The command line: what is imported for a command, and what is said of a wrong one."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from concurrent.apps.commands import COMMANDS
from concurrent.apps.main import make_parser, run_command
from concurrent.apps.version import VERSION
from concurrent.core.errors import RemoteError

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


def test_what_a_peer_raises_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def run(_args: argparse.Namespace) -> int:
        raise RemoteError("no \x1b[2Jsuch job")

    assert run_command(argparse.Namespace(run=run, debug=False)) != 0
    assert capsys.readouterr().err == "concurrent: no ?[2Jsuch job\n"
