"""Which master is meant, who says so, and the file that has its address."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from concurrent.apps.access import Access, KeySettings
from concurrent.apps.addressfile import keep_address, read_address_file
from concurrent.apps.applicationsettings import ApplicationSettings
from concurrent.apps.masteraddress import MasterAddress, address_file_of, find_master
from concurrent.apps.slave import SlaveNode
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError
from concurrent.core.items import Host


def environment(tmp_path: Path, variable: str = "", **options: str) -> Environment:
    overrides = {name.replace("__", "."): text for name, text in options.items()}
    variables = {"CONCURRENT_SYSTEM_FILE": "none", "CONCURRENT_MASTER": variable}
    variables["CONCURRENT_APPLICATION__MASTER"] = variables["CONCURRENT_SLAVE__MASTER"] = "weaker:4"
    return Environment(overrides={"keys.folder": str(tmp_path), **overrides}, variables=variables)


def found(env: Environment, given: str | None = None) -> tuple[str, str]:
    host, source = env[ApplicationSettings].running_master(given, "--master")
    return str(host), source


def test_what_is_typed_is_stronger_than_the_variable_and_that_than_the_option(tmp_path: Path) -> None:
    env = environment(tmp_path, "variable:2")
    assert found(env, "typed:1") == ("typed:1", "--master")
    assert found(env) == ("variable:2", "environment variable CONCURRENT_MASTER")
    weaker = "application.master (environment variable CONCURRENT_APPLICATION__MASTER)"
    assert found(environment(tmp_path)) == ("weaker:4", weaker)
    typed = environment(tmp_path, "variable:2", application__master="typed:3")
    assert found(typed) == ("typed:3", "application.master (command line)")


def test_a_slave_goes_where_the_variable_says_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    assert environment(tmp_path, "variable:2")[SlaveNode].master_address.host == Host("variable", 2)
    assert (
        environment(tmp_path, "variable:2", slave__master="own:3")[SlaveNode].master_address.host.name == "own"
    )
    assert environment(tmp_path)[SlaveNode].master_address.host == Host("weaker", 4)


def test_without_any_word_it_is_on_this_machine(tmp_path: Path) -> None:
    settings: Any = SimpleNamespace(base=lambda: tmp_path, cluster="", has_place=True)
    access = Access(cast("KeySettings", settings), is_open=False)
    here = MasterAddress(
        Host("127.0.0.1", 8750),
        "the default, for nothing names another and no cluster was joined (by concurrent join LINE)",
    )
    assert find_master("", "nobody", access) == here


def test_a_file_has_the_address_while_the_master_runs(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "address"
    remove = keep_address(file, "127.0.0.1", 9000)
    assert read_address_file(file, "--master") == Host("127.0.0.1", 9000)
    assert found(environment(tmp_path), f"@{file}") == ("127.0.0.1:9000", f"the file {file}, as --master says")
    variable = environment(tmp_path, f"@{file}")
    assert found(variable)[1] == f"the file {file}, as environment variable CONCURRENT_MASTER says"
    assert list(file.parent.iterdir()) == [file]
    remove()
    assert not file.exists()
    remove()


def test_a_file_that_another_master_has_written_stays(tmp_path: Path) -> None:
    file = tmp_path / "address"
    remove = keep_address(file, "127.0.0.1", 9000)
    keep_address(file, "127.0.0.1", 9001)
    remove()
    assert read_address_file(file, "--master") == Host("127.0.0.1", 9001)


def test_who_listens_on_all_addresses_is_found_by_others_at_one(tmp_path: Path) -> None:
    keep_address(tmp_path / "address", "0.0.0.0", 9000)
    assert read_address_file(tmp_path / "address", "--master").name not in ("", "0.0.0.0")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read: No such file.*--address-file"),
        (" \n", "is empty.*HOST:PORT"),
        ("a:b", "not an addr"),
    ],
)
def test_a_file_without_an_address_is_an_error_that_names_it(
    tmp_path: Path, text: str | None, problem: str
) -> None:
    file = tmp_path / "address"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read_address_file(file, "--master")
    assert str(file) in str(caught.value)


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "address"
    remove = keep_address(file, "127.0.0.1", 9000)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(ConfigurationError, match="is empty"):
        read_address_file(file, "--master")
    remove()
    assert file.is_fifo()


def test_a_link_beside_the_file_is_not_written_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of several users another one may have put it there."""
    monkeypatch.setattr("secrets.token_hex", lambda _: "guessed")
    precious = tmp_path / "precious"
    precious.write_text("data")
    for name in (f".address-{os.getpid()}", ".address-guessed"):
        (tmp_path / name).symlink_to(precious)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        keep_address(tmp_path / "address", "127.0.0.1", 9000)
    assert precious.read_text() == "data"


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "no-folder").touch()
    with pytest.raises(ConfigurationError, match=r"cannot be written"):
        keep_address(tmp_path / "no-folder" / "address", "127.0.0.1", 9000)
    assert keep_address(None, "127.0.0.1", 9000)() is None


@pytest.mark.parametrize("text", ["a:b:c", "two..dots:1"])
def test_an_option_that_is_no_address_is_refused_with_the_ways_to_write_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"CONCURRENT_MASTER.*is not an address.*joined.*@FILE"):
        found(environment(tmp_path, text))


def test_a_text_may_name_a_file() -> None:
    assert address_file_of("@~/address") == Path.home() / "address"
    assert address_file_of("host:1") is None
