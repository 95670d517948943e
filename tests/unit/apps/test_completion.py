"""The scripts by which shells complete commands, each in the shell that it is for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from concurrent.apps.commands import COMMANDS
from concurrent.apps.completion import SHELLS, script_for, spoken
from concurrent.apps.main import make_parser

ASK = """
source ./script
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_concurrent
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    program = spoken(make_parser())
    for shell in SHELLS:
        (folder / shell).write_text(script_for(shell, program), encoding="utf-8")
    return folder


def completions(scripts: Path, folder: Path, *words: str) -> list[str]:
    """Return what bash offers for the last of these words."""
    (folder / "script").write_text((scripts / "bash").read_text())
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK, "bash", "concurrent", *words],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["ta"], ["tasks"]),
        (["keys", "inv"], ["invite"]),
        (["tasks", "--fu"], ["--function"]),
        (["tasks", "--state", "f"], ["failed", "finished"]),
        (["tasks", "--state", "=", "run"], ["running"]),
        (["tasks", "--limit", ""], [""]),
        (["status", "-m", "nowhere:1", "--js"], ["--json"]),
        (["keys", "invite", "--epheme"], ["--ephemeral"]),
        (["completion", "z"], ["zsh"]),
        (["master", "--config", "site"], ["site file.ini"]),
        (["app", "site"], ["site file.ini"]),
        (["timeline", "-o", "site"], ["site file.ini"]),
        (["status", "--master", "@site"], ["@site file.ini"]),
        (["nonsense", "x"], [""]),
    ],
)
def test_bash_offers_what_may_follow(
    scripts: Path, tmp_path: Path, words: list[str], offered: list[str]
) -> None:
    (tmp_path / "site file.ini").touch()
    assert completions(scripts, tmp_path, *words) == offered


def test_bash_offers_all_commands(scripts: Path, tmp_path: Path) -> None:
    assert completions(scripts, tmp_path, "") == list(COMMANDS)
    assert completions(scripts, tmp_path, "-") == ["-h", "--help", "-V", "--version"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_take_their_scripts(scripts: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    subprocess.run([shell, "-n", str(scripts / shell)], check=True)


def test_fish_offers_what_may_follow(scripts: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("there is no fish here")
    ask = f"source {scripts / 'fish'}; complete -C 'concurrent tasks --state fa'; complete -C 'concurrent dra'"
    done = subprocess.run(["fish", "-N", "-c", ask], check=True, capture_output=True, text=True)
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["failed", "drain"]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_script_knows_each_command_and_option(scripts: Path, shell: str) -> None:
    text = (scripts / shell).read_text(encoding="utf-8")
    for _, command in spoken(make_parser()).walk():
        assert command.name in text
        for option in command.options:
            flag = option.flags[-1]
            assert (flag if shell != "fish" else flag.lstrip("-")) in text
