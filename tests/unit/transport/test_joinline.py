"""The line by which a machine joins: read as it was printed, and told when it was cut or mistyped."""

from __future__ import annotations

import string

import pytest

from concurrent.core.errors import ConfigurationError
from concurrent.core.items import Host
from concurrent.transport.security.joinline import JoinLine

LINE = JoinLine("office-4kd2", bytes(range(33)), "c2VjcmV0LXNlY3JldA", Host("10.0.0.5", 8750))


@pytest.mark.parametrize("form", ["{}", "concurrent join {}", "  {}\n", "concurrent  join   {}"])
def test_a_line_is_read_as_it_was_printed(form: str) -> None:
    assert JoinLine.parse(form.format(LINE.text)) == LINE


@pytest.mark.parametrize("host", ["master.example.org", "fd00::5", "127.0.0.1"])
def test_the_address_may_be_of_any_kind(host: str) -> None:
    line = JoinLine(LINE.cluster, LINE.key, LINE.secret, Host(host, 1))
    assert JoinLine.parse(line.text) == line


def test_the_secret_is_not_shown() -> None:
    assert LINE.secret not in repr(LINE)


def test_a_line_that_was_cut_anywhere_is_told_and_never_shown() -> None:
    for end in range(len(LINE.text)):
        for part in (LINE.text[:end], LINE.text[len(LINE.text) - end :]):
            with pytest.raises(ConfigurationError) as raised:
                JoinLine.parse(part)
            assert LINE.secret not in str(raised.value)
            assert raised.value.remedy


def test_a_mistyped_character_is_told() -> None:
    for place, right in enumerate(LINE.text):
        for wrong in {"x", "7", "-", "."} - {right}:
            with pytest.raises(ConfigurationError) as raised:
                JoinLine.parse(LINE.text[:place] + wrong + LINE.text[place + 1 :])
            assert LINE.secret not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["", "@", "hello", "c1", "c1.a.b.c.d", "c1.....@h:1", string.printable, "c1.é@h:1"]
)
def test_what_is_no_line_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError):
        JoinLine.parse(text)


def test_a_line_of_a_later_release_is_told() -> None:
    with pytest.raises(ConfigurationError, match="version c2"):
        JoinLine.parse(LINE.text.replace("c1.", "c2.", 1))
