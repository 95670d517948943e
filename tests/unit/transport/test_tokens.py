"""Tokens: known by the certificate of the authority alone, and told apart where they are not good."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest

from concurrent.core.errors import ConfigurationError, NotAllowed
from concurrent.transport.security.authority import Authority
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.members import Members
from concurrent.transport.security.newkeys import make_cluster, rotate
from concurrent.transport.security.roles import Role
from concurrent.transport.security.tokens import Tokens
from tests.clusterkeys import join


@pytest.fixture
def cluster(tmp_path: Path) -> KeyFolder:
    return make_cluster(tmp_path / "master" / "keys", "office-4kd2")


def signed(cluster: KeyFolder, values: object, prefix: bytes = b"concurrent token 1\0") -> str:
    """Return a token with any values that the authority has signed."""
    body = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
    authority = Authority(cluster.read("ca.key"), cluster.certificate)
    signature = base64.urlsafe_b64encode(authority.sign(prefix + body.encode())).decode().rstrip("=")
    return f"ct1.{body}.{signature}"


def values_of(**others: object) -> dict[str, object]:
    now = time.time()
    values = {
        "cluster": "office-4kd2",
        "role": "observe",
        "name": "wall",
        "id": "00ff",
        "made": now,
        "ends": now + 60,
    }
    return {**values, **others}


def test_a_token_says_who_its_holder_is(cluster: KeyFolder) -> None:
    token = Tokens(cluster).make(Role.SUBMIT, ttl_s=60, name="anna")
    identity = Tokens(cluster).identity_of(token)
    assert (identity.role, identity.name, identity.cluster) == (Role.SUBMIT, "anna", "office-4kd2")
    assert [(one.serial, one.is_token) for one in Members(cluster).all()][1] == (identity.serial, True)


def test_other_machines_know_a_token_by_the_certificate_of_the_authority(
    cluster: KeyFolder, tmp_path: Path
) -> None:
    slave = join(cluster, tmp_path / "slave" / "keys", Role.SLAVE)
    token = Tokens(cluster).make(Role.OBSERVE, ttl_s=60)
    assert Tokens(slave).identity_of(token).name.startswith("token-")
    with pytest.raises(ConfigurationError, match="on the machine of its master"):
        Tokens(slave).make(Role.OBSERVE, ttl_s=60)


@pytest.mark.parametrize("role", [Role.SLAVE, Role.MASTER])
def test_nodes_get_no_tokens(cluster: KeyFolder, role: Role) -> None:
    with pytest.raises(ConfigurationError, match=f"a {role} needs a key of its own"):
        Tokens(cluster).make(role, ttl_s=60)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "ct1",
        "ct1..",
        "ct2.e30.e30",
        "Bearer x",
        "ct1." + "e" * 2000,
        "ct1.e30.e30.",
        "é",
        "\udcff",
    ],
)
def test_what_is_no_token_is_told(cluster: KeyFolder, text: str) -> None:
    with pytest.raises(NotAllowed, match=r"is not a token|cut short or mistyped|another cluster"):
        Tokens(cluster).identity_of(text)


def test_a_token_that_was_cut_or_changed_anywhere_is_told_and_never_shown(cluster: KeyFolder) -> None:
    tokens = Tokens(cluster)
    text = tokens.make(Role.OBSERVE, ttl_s=60)
    for place in range(len(text)):
        for wrong in (text[:place], text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]):
            with pytest.raises(NotAllowed) as raised:
                tokens.identity_of(wrong)
            assert text.rpartition(".")[2] not in str(raised.value)
    assert tokens.identity_of(text).role is Role.OBSERVE


def test_a_token_of_another_cluster_is_told(cluster: KeyFolder, tmp_path: Path) -> None:
    other = make_cluster(tmp_path / "other" / "keys", "garage-7hn3")
    with pytest.raises(NotAllowed, match="belongs to another cluster"):
        Tokens(cluster).identity_of(Tokens(other).make(Role.ADMIN, ttl_s=60))


def test_a_token_of_another_authority_is_told(cluster: KeyFolder, tmp_path: Path) -> None:
    other = make_cluster(tmp_path / "other" / "keys", "office-4kd2")
    with pytest.raises(NotAllowed, match="has not signed the token"):
        Tokens(cluster).identity_of(Tokens(other).make(Role.ADMIN, ttl_s=60))


def test_a_token_ends_and_clocks_may_differ_by_a_minute(cluster: KeyFolder) -> None:
    tokens = Tokens(cluster)
    now = time.time()
    assert tokens.identity_of(signed(cluster, values_of(ends=now - 30))).name == "wall"
    with pytest.raises(NotAllowed, match="the token of observe wall has expired"):
        tokens.identity_of(signed(cluster, values_of(ends=now - 90)))


def test_a_revoked_token_is_told_also_when_it_was_known(cluster: KeyFolder) -> None:
    tokens = Tokens(cluster)
    text = tokens.make(Role.OBSERVE, ttl_s=60, name="wall")
    assert tokens.identity_of(text).name == "wall"
    Members(cluster).revoke("wall")
    with pytest.raises(NotAllowed, match="the token of observe wall has been revoked"):
        tokens.identity_of(text)


def test_a_new_authority_ends_tokens(cluster: KeyFolder) -> None:
    text = Tokens(cluster).make(Role.ADMIN, ttl_s=60)
    with pytest.raises(NotAllowed, match="has not signed"):
        Tokens(rotate(cluster)).identity_of(text)


@pytest.mark.parametrize(
    "others",
    [{"role": "king"}, {"name": "../x"}, {"ends": "never"}, {"ends": None}, {"name": 5}, {"role": None}],
)
def test_what_this_release_does_not_understand_is_refused(
    cluster: KeyFolder, others: dict[str, object]
) -> None:
    with pytest.raises(NotAllowed, match="another version"):
        Tokens(cluster).identity_of(signed(cluster, values_of(**others)))


@pytest.mark.parametrize("values", [[], "text", None, 5])
def test_what_is_signed_has_to_be_an_object(cluster: KeyFolder, values: object) -> None:
    with pytest.raises(NotAllowed):
        Tokens(cluster).identity_of(signed(cluster, values))


def test_what_was_signed_for_another_purpose_is_no_token(cluster: KeyFolder) -> None:
    with pytest.raises(NotAllowed, match="has not signed"):
        Tokens(cluster).identity_of(signed(cluster, values_of(), prefix=b""))
