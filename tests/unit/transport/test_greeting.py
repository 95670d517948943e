"""HELLO and WELCOME are checked field by field, limits before they are used."""

from typing import Any

import pytest

from concurrent.core.errors import (
    ConfigurationError,
    ConnectionLost,
    MalformedMessage,
    VersionMismatch,
)
from concurrent.transport.security.hosts import check_host
from concurrent.transport.session.limits import Limits, raise_files_max
from concurrent.transport.session.messages import Bye, Hello, NodeInUse, Welcome, error_from_bye

HELLO = Hello(version=1, session_id="", node_id="slave", last_received=0, max_bytes=1000)
WELCOME = Welcome("id", "master", last_received=0, is_new=True, max_bytes=1000, heartbeat_s=2.0)


def test_greetings_survive_the_wire() -> None:
    assert Hello.from_wire(HELLO.to_wire()) == HELLO
    assert Welcome.from_wire(WELCOME.to_wire()) == WELCOME


def test_fields_that_a_later_version_adds_are_ignored() -> None:
    assert Hello.from_wire({**HELLO.to_wire(), "colour": "blue"}) == HELLO


def test_greetings_of_the_first_form_have_neither_features_nor_other_versions() -> None:
    hello, welcome = HELLO.to_wire(), WELCOME.to_wire()
    for name in ("version_max", "features"):
        del hello[name]
    for name in ("version", "features"):
        del welcome[name]
    assert Hello.from_wire(hello) == HELLO
    assert Welcome.from_wire(welcome) == WELCOME


def test_of_a_list_of_features_the_names_are_taken() -> None:
    names = ["running", 7, None, "x" * 1000, "held"]
    assert Hello.from_wire({**HELLO.to_wire(), "features": names}).features == ("running", "held")
    assert Welcome.from_wire({**WELCOME.to_wire(), "features": names}).features == ("running", "held")
    with pytest.raises(MalformedMessage, match="features"):
        Hello.from_wire({**HELLO.to_wire(), "features": "running"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", "1"),
        ("version", True),
        ("session_id", None),
        ("node_id", ""),
        ("node_id", "x" * 300),
        ("node_id", "a\nb"),
        ("node_id", "a\x1b[31m"),
        ("last_received", -1),
        ("max_bytes", 1.5),
        ("version_max", "2"),
    ],
)
def test_a_hello_with_a_wrong_field_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(MalformedMessage) as caught:
        Hello.from_wire({**HELLO.to_wire(), name: value})
    assert caught.value.thing == name


@pytest.mark.parametrize("name", ["session_id", "is_new", "heartbeat_s"])
def test_a_welcome_without_a_field_is_refused(name: str) -> None:
    wire = WELCOME.to_wire()
    del wire[name]
    with pytest.raises(MalformedMessage, match=name):
        Welcome.from_wire(wire)


def test_a_bye_becomes_the_error_that_it_tells_of() -> None:
    assert type(error_from_bye(Bye("version", "old"))) is VersionMismatch
    assert error_from_bye(Bye("version", "old", {"versions": [2, 3]})).value == [2, 3]
    assert type(error_from_bye(Bye("in-use", "another"))) is NodeInUse
    assert type(error_from_bye(Bye("closed", "it stops"))) is ConnectionLost


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_addresses_are_safe_to_listen_on(host: str) -> None:
    check_host(host, allow_insecure=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "example.org"])
def test_other_addresses_are_refused_unless_insecurity_is_allowed(host: str) -> None:
    with pytest.raises(ConfigurationError, match="allow_insecure=True"):
        check_host(host, allow_insecure=False)
    check_host(host, allow_insecure=True)


@pytest.mark.parametrize(
    "wrong", [{"frames_max": 0}, {"frames_max": 10**6}, {"silence_s": 1.0, "heartbeat_s": 1.0}]
)
def test_limits_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Limits(**wrong)


def test_connections_leave_files_for_others() -> None:
    files_max = raise_files_max()
    limits = Limits()
    assert 0 < limits.greeting_max + limits.sessions_max < files_max or files_max < 0
