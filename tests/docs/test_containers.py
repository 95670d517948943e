"""The files for containers in ``conf/``: what they say is known to compose, and is what nodes take.

Images are not built here; ``tests/system/test_compose.py`` runs what the containers run.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest

from concurrent.apps.main import make_parser
from concurrent.core.environment import Environment

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((CONF / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (CONF / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (CONF / "Dockerfile.dockerignore").read_text(encoding="utf-8")

KNOWN: Final = {
    "": {"name", "services", "volumes"},
    "service": {
        "build", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "init", "logging",
        "ports", "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "volumes",
    },
    "build": {"args", "context", "dockerfile"},
    "healthcheck": {"interval", "retries", "test", "timeout"},
    "logging": {"driver", "options"},
    "depends_on": {"condition"},
}  # fmt: skip
"""Those names of the compose specification that are used, at their places."""
INSTRUCTIONS: Final = {"ARG", "CMD", "COPY", "ENV", "EXPOSE", "FROM", "RUN", "USER", "WORKDIR"}
VARIABLE: Final = re.compile(r"\$\{(\w+):-[^}]*\}")
DURATION: Final = re.compile(r"\d+[sm]")


def services() -> dict[str, dict[str, Any]]:
    return dict(COMPOSE["services"])


def concurrent_lines(script: str) -> list[list[str]]:
    """Return the arguments of each ``concurrent`` in a script of a shell."""
    calls = re.findall(r"\bconcurrent ((?:keys|join|master|slave)\b[^>|&\n]*)", script)
    return [shlex.split(call) for call in calls]


def test_compose_knows_each_name() -> None:
    assert {name for name in COMPOSE if not name.startswith("x-")} == KNOWN[""]
    for name, service in services().items():
        assert set(service) <= KNOWN["service"], name
        for part in ("build", "healthcheck", "logging"):
            assert set(service.get(part, {})) <= KNOWN[part], (name, part)
        for other, how in service.get("depends_on", {}).items():
            assert other in services()
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in services()[other], "or it is never healthy"


def test_values_are_of_the_kind_that_compose_wants() -> None:
    for service in services().values():
        assert DURATION.fullmatch(service["stop_grace_period"])
        assert service["restart"] == "unless-stopped"
        assert all(isinstance(value, str) for value in service.get("environment", {}).values())
        assert all(isinstance(value, str) for value in service["build"]["args"].values())
        for volume in service["volumes"]:
            source, *_ = volume.split(":")
            assert source.startswith("/") or source in COMPOSE["volumes"]
    health = services()["master"]["healthcheck"]
    assert health["test"][0] == "CMD"
    assert DURATION.fullmatch(health["interval"])
    assert DURATION.fullmatch(health["timeout"])


def test_containers_gain_nothing_and_change_no_system() -> None:
    for service in services().values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True
        assert "/tmp" in service["tmpfs"], "for the sockets of a node"


def test_each_command_in_a_container_is_one_of_concurrent() -> None:
    commands = []
    for service in services().values():
        _, _, script = service["command"]
        for arguments in concurrent_lines(script):
            arguments = ["1" if one == "$$WORKERS" else one for one in arguments]
            make_parser().parse_args(arguments)  # which ends with SystemExit if it is wrong
            commands.append(arguments[0])
    assert sorted(commands) == ["join", "keys", "keys", "keys", "master", "slave"]
    _, program, *arguments = services()["master"]["healthcheck"]["test"]
    assert program == "concurrent"
    assert arguments[0] == "status"
    make_parser().parse_args(arguments)


def test_the_ports_of_the_master_are_those_that_are_published() -> None:
    master = services()["master"]
    env = Environment(config_files=[CONF / "master.ini"], variables=master["environment"])
    ports = {env.config.get("master", name) for name in ("port", "compute_port", "work_port")}
    published = [VARIABLE.sub("127.0.0.1", port) for port in master["ports"]]
    assert set(published) == {f"127.0.0.1:{port}:{port}" for port in ports}
    (exposed,) = re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)
    assert set(map(int, exposed.split())) == ports
    for name, value in master["environment"].items():
        assert int(value) == env.config.get("master", name.removeprefix("CONCURRENT_MASTER__").lower())


def test_the_image_is_of_a_named_version_and_runs_as_an_ordinary_user() -> None:
    lines = [line for line in DOCKERFILE.replace("\\\n", " ").splitlines() if line and line[0] != "#"]
    assert {line.split()[0] for line in lines} <= INSTRUCTIONS
    (version,) = re.findall(r"^ARG PYTHON=(.*)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"3\.1\d", version)
    assert {line.split()[1] for line in lines if line.startswith("FROM")} == {"python:${PYTHON}-slim"}
    last = lines[max(place for place, line in enumerate(lines) if line.startswith("FROM")) :]
    (user,) = [line.split()[1] for line in last if line.startswith("USER")]
    assert any(line.startswith("RUN useradd") and user in line for line in last)
    assert set(services()["slave"]["build"]["args"]) == set(re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE))


def test_an_image_is_made_from_what_an_installation_needs() -> None:
    assert IGNORED.splitlines()[1] == "*", "the rest, environments and keys among it, stays outside"
    taken = [line[1:] for line in IGNORED.splitlines() if line.startswith("!")]
    for pattern in taken:
        assert list(ROOT.glob(pattern)), pattern
    for needed in (
        "setup.py",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "concurrent",
        "native",
        "samples",
        "conf",
    ):
        assert needed in taken
