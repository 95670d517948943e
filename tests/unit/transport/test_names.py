"""Names of clusters and members, and fingerprints that people read out."""

from __future__ import annotations

import pytest

from concurrent.core.errors import ConfigurationError
from concurrent.transport.security.fingerprint import ALPHABET, compare_fingerprint, fingerprint_of
from concurrent.transport.security.hosts import is_loopback
from concurrent.transport.security.names import (
    check_cluster_name,
    check_member_name,
    cluster_name,
    dns_name,
    member_name,
)
from concurrent.transport.security.ownaddress import own_address
from concurrent.transport.security.roles import Role

KEY = bytes(range(33))


@pytest.mark.parametrize("name", ["a", "office-4kd2", "0", "a" * 40])
def test_a_cluster_can_be_called_so(name: str) -> None:
    assert check_cluster_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a.b", "a_b", "a/b", "..", "a" * 41, "a\n", "é", "a b"])
def test_a_cluster_cannot_be_called_so(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name of a cluster"):
        check_cluster_name(name)


@pytest.mark.parametrize("name", ["rack", "rack-1.example.org", "a_b", "a" * 64])
def test_a_member_can_be_called_so(name: str) -> None:
    assert check_member_name(name) == name


@pytest.mark.parametrize("name", ["", ".a", "a.", "Rack", "a/b", "..", "a" * 65, "a\n", "a b", "a,b", "a?b"])
def test_a_member_cannot_be_called_so(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name of a member"):
        check_member_name(name)


@pytest.mark.parametrize(
    "hostname", ["rack", "Rack_1.example.org", "", "--", "ñandú", "x" * 300, "...", "a\nb", "1.2.3.4"]
)
def test_whatever_a_machine_is_called_its_names_are_good(hostname: str) -> None:
    check_member_name(member_name(hostname))
    check_cluster_name(cluster_name(hostname, "4kd2"))


def test_only_the_certificate_of_a_master_has_its_name() -> None:
    assert dns_name("office", Role.MASTER) == "master.office"
    assert {dns_name("office", role) for role in Role if role is not Role.MASTER} == {"node.office"}


def test_the_own_address_is_one_that_others_can_have() -> None:
    address = own_address()
    assert address
    assert not is_loopback(address)


def test_a_fingerprint_is_the_same_however_it_is_typed() -> None:
    text = fingerprint_of(KEY)
    assert len(text.split("-")) == 6
    for typed in (
        text,
        text.lower(),
        text.replace("-", " "),
        f" {text.replace('-', '')} ",
        text.replace("O", "0"),
    ):
        assert compare_fingerprint(typed, text)
    assert not compare_fingerprint(fingerprint_of(KEY[::-1]), text)


def test_each_wrong_character_of_a_fingerprint_is_told_with_its_group() -> None:
    text = fingerprint_of(KEY).replace("-", "")
    for place, right in enumerate(text):
        for wrong in set(ALPHABET) - {right}:
            with pytest.raises(ConfigurationError, match=f"group {place // 6 + 1}, "):
                compare_fingerprint(text[:place] + wrong + text[place + 1 :], text)


def test_exchanged_characters_and_groups_are_told() -> None:
    groups = fingerprint_of(KEY).split("-")
    for place, group in enumerate(groups):
        for at in range(5):
            swapped = group[:at] + group[at + 1] + group[at] + group[at + 2 :]
            if swapped != group:
                with pytest.raises(ConfigurationError, match="is mistyped"):
                    compare_fingerprint("".join([*groups[:place], swapped, *groups[place + 1 :]]), "")
    with pytest.raises(ConfigurationError, match="group 1"):
        compare_fingerprint("".join([groups[1], groups[0], *groups[2:]]), "")


@pytest.mark.parametrize("text", ["", "ABC", "A" * 37, "!" * 36])
def test_what_is_no_fingerprint_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError):
        compare_fingerprint(text, fingerprint_of(KEY))
