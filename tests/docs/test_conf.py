"""The configuration files in ``conf/``: each loads, is right, and shows every option of its sections."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from concurrent.apps.api import EXIT_USAGE
from concurrent.apps.main import make_parser
from concurrent.core.config import describe
from concurrent.core.environment import Environment
from tests.docs.pages import blocks_of

CONF = Path(__file__).resolve().parents[2] / "conf"
FILES = sorted(CONF.glob("*.ini"))
OF_MASTER = {
    "job",
    "journal",
    "keys",
    "limits",
    "logging",
    "master",
    "node",
    "plugins",
    "scheduling",
    "transport",
}
SECTIONS_BY_NAME = {
    "application": {"application", "keys", "logging", "plugins", "scheduling", "transport"},
    "master": OF_MASTER,
    "slave": {"keys", "logging", "node", "plugins", "slave", "transport"},
    "standalone": OF_MASTER,
}

_SECTION = re.compile(r"^\[(\w+)\]$", re.MULTILINE)
_OPTION = re.compile(r"^#?(\w+) =.*\n", re.MULTILINE)


def environment(file: Path) -> Environment:
    return Environment(config_files=[file], variables={"CONCURRENT_SYSTEM_FILE": str(file.parent / "none")})


def without_values(text: str) -> str:
    """Return a configuration with the names of its options only, commented out or not."""
    return _OPTION.sub(r"\1\n", text)


def sections_of(text: str) -> dict[str, str]:
    _, *parts = _SECTION.split(text)
    return dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_configuration_file_has_no_unknown_option_and_allowed_values_only(file: Path) -> None:
    assert environment(file).config.check() == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_configuration_file_documents_each_option_of_its_sections(file: Path) -> None:
    """What is missing here is printed by ``concurrent config --section NAME``."""
    sections = sections_of(file.read_text(encoding="utf-8"))
    assert set(sections) == SECTIONS_BY_NAME[file.stem]
    for section, text in sections.items():
        items = [item for item in environment(file).config.items() if item.section == section]
        _, expected = sections_of(describe(items)).popitem()
        assert without_values(f"{text}\n") == without_values(f"{expected}\n")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_a_configuration_file_does_not_set_is_shown_as_its_default(file: Path) -> None:
    env = environment(file)
    sections = sections_of(file.read_text(encoding="utf-8"))
    for item in env.config.items():
        if item.section in sections and not env.config.is_set(item.section, item.name):
            shown = describe([item]).splitlines()[-2]
            assert shown in sections[item.section].splitlines()


def test_no_configuration_file_opens_a_node_to_the_network() -> None:
    for file in FILES:
        config = environment(file).config
        assert config.get("transport", "allow_insecure") is False
        for section in ("master", "slave", "application"):
            assert config.get(section, "host") == "127.0.0.1"


def test_there_is_a_file_for_each_way_to_run() -> None:
    assert {file.stem for file in FILES} == set(SECTIONS_BY_NAME)


UNITS = sorted(CONF.glob("*.service"))
ENVS = {"concurrent-master": Path("master"), "concurrent-slave": None}


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Return the settings of a unit; one may be there several times."""
    settings: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        if "=" in line and line[0] not in "#[":
            name, value = line.split("=", 1)
            settings.setdefault(name, []).append(value)
    return settings


def problems_of(unit: Path) -> str:
    """Return what systemd says of a unit, empty if it finds nothing."""
    done = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stderr if done.returncode or unit.name in done.stderr else ""


def test_there_is_a_unit_for_each_node_that_runs_for_long() -> None:
    assert {unit.stem for unit in UNITS} == set(ENVS)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_its_node_again_unless_its_configuration_is_wrong(unit: Path) -> None:
    settings = settings_of(unit)
    assert settings["Restart"] == ["on-failure"]
    assert settings["RestartPreventExitStatus"] == [str(EXIT_USAGE)]
    (line,) = settings["ExecStart"]
    command, *arguments = line.split()
    assert command.endswith("/concurrent")
    assert arguments[0] == unit.stem.removeprefix("concurrent-")
    assert make_parser().parse_args(arguments).env == ENVS[unit.stem]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_as_an_ordinary_user_that_gains_nothing(unit: Path) -> None:
    settings = settings_of(unit)
    assert settings["User"] == ["concurrent"]
    assert settings["NoNewPrivileges"] == ["true"]
    assert settings["CapabilityBoundingSet"] == [""]
    assert settings["StateDirectoryMode"] == ["0700"], "keys lie in it"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_a_unit_with_all_that_it_offers(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text(encoding="utf-8").replace("/opt/concurrent/bin/concurrent", sys.executable)
    offered = re.compile(r"^#(?=[A-Z]\w+=)", re.MULTILINE)
    for name, content in (("as-it-is", text), ("offered", offered.sub("", text))):
        copy = tmp_path / f"{unit.stem}-{name}.service"
        copy.write_text(content, encoding="utf-8")
        assert problems_of(copy) == ""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_systemd_understands_the_units_of_the_page_on_deployment(tmp_path: Path) -> None:
    page = CONF.parent / "docs" / "deploy.md"
    units = {block.file: block.text for block in blocks_of(page.read_text(encoding="utf-8")) if block.file}
    assert {Path(name).suffix for name in units} == {".conf", ".service"}
    for name, text in units.items():
        kind = "[Unit]\nDescription=A drop-in\n" if name.endswith(".conf") else ""
        copy = tmp_path / f"{Path(name).stem}.service"
        copy.write_text(
            kind + re.sub(r"(?<==)\S+/concurrent (?=slave)", f"{sys.executable} ", text), encoding="utf-8"
        )
        assert problems_of(copy) == ""
