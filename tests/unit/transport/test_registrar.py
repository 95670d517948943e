"""What a master does when somebody joins."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from concurrent.core.errors import ConfigurationError, NotAllowed
from concurrent.core.items import Host
from concurrent.transport.security.audit import AuditLog
from concurrent.transport.security.authority import (
    has_key,
    key_of_authority,
    name_in_request,
    new_key,
    request_for,
)
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.members import Members
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.registrar import Registrar
from concurrent.transport.security.roles import Role
from tests.clusterkeys import join

HOST = Host("10.0.0.5", 8750)


@pytest.fixture
def cluster(tmp_path: Path) -> KeyFolder:
    return make_cluster(tmp_path / "master" / "keys", "office-4kd2")


def test_who_is_invited_becomes_a_member_and_is_told_all_it_needs(cluster: KeyFolder) -> None:
    secret = Members(cluster).invite(Role.SLAVE)
    registrar = Registrar(cluster, (HOST,))
    key = new_key()
    registrar.check_invitation(secret)
    answer = json.loads(registrar.join(secret, request_for(key, "Rack 1"), "10.0.0.7"))
    assert answer["cluster"] == "office-4kd2"
    assert answer["masters"] == ["10.0.0.5:8750"]
    assert answer["role"] == "slave"
    assert key_of_authority(answer["authority"].encode()) == key_of_authority(cluster.certificate)
    assert has_key(answer["certificate"].encode(), key)
    member = Members(cluster).all()[-1]
    assert (member.role, member.name, member.address) == (Role.SLAVE, "rack-1", "10.0.0.7")
    with pytest.raises(NotAllowed, match="was used up"):
        registrar.check_invitation(secret)
    with pytest.raises(NotAllowed, match="there is no such invitation"):
        registrar.check_invitation("another")


def test_the_master_chooses_the_role_and_may_choose_the_name(cluster: KeyFolder) -> None:
    secret = Members(cluster).invite(Role.OBSERVE, name="wall")
    Registrar(cluster).join(secret, request_for(new_key(), "master"), "")
    assert str(Members(cluster).all()[-1]) == "observe wall"


def test_a_secret_is_good_once_also_for_two_who_have_it(cluster: KeyFolder) -> None:
    secret = Members(cluster).invite(Role.SLAVE)
    Registrar(cluster).join(secret, request_for(new_key(), "one"), "")
    with pytest.raises(NotAllowed, match="was used up"):
        Registrar(cluster).join(secret, request_for(new_key(), "two"), "")
    assert len(Members(cluster).all()) == 2


def test_no_secret_is_used_more_often_than_it_may_be_by_many_at_once(cluster: KeyFolder) -> None:
    secret = Members(cluster).invite(Role.SLAVE, uses=3)

    def try_to_join(number: int) -> bool:
        try:
            Registrar(KeyFolder(cluster.folder)).join(secret, request_for(new_key(), f"rack{number}"), "")
        except NotAllowed:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(try_to_join, range(8))) == 3
    assert len(Members(cluster).all()) == 4


@pytest.mark.parametrize("request_pem", [b"", b"hello", b"x" * 20000, new_key()])
def test_what_is_no_request_uses_nothing_up(cluster: KeyFolder, request_pem: bytes) -> None:
    secret = Members(cluster).invite(Role.SLAVE)
    with pytest.raises(NotAllowed, match="no signing request"):
        Registrar(cluster).join(secret, request_pem, "")
    Registrar(cluster).check_invitation(secret)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("020100", "020109"),  # a version that there is not
        ("2a8648ce3d030107", "2a8648ce3d03017f"),  # a curve that nobody knows
    ],
)
def test_a_request_that_the_library_does_not_know_is_refused(old: str, new: str) -> None:
    lines = request_for(new_key(), "rack").splitlines()
    der = base64.b64decode(b"".join(lines[1:-1])).replace(bytes.fromhex(old), bytes.fromhex(new), 1)
    pem = b"\n".join((lines[0], base64.b64encode(der), lines[-1]))
    with pytest.raises(NotAllowed, match="no signing request"):
        name_in_request(pem)


def test_a_request_that_was_changed_is_refused(cluster: KeyFolder) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_pem_x509_csr

    secret = Members(cluster).invite(Role.SLAVE)
    pem = request_for(new_key(), "rack")
    changed = load_pem_x509_csr(pem).public_bytes(Encoding.DER).replace(b"rack", b"cell")
    text = base64.encodebytes(changed)
    fake = b"-----BEGIN CERTIFICATE REQUEST-----\n" + text + b"-----END CERTIFICATE REQUEST-----\n"
    assert name_in_request(pem) == "rack"
    with pytest.raises(NotAllowed, match="no signing request"):
        Registrar(cluster).join(secret, fake, "")


def test_a_reinstalled_machine_replaces_its_old_key_unless_that_is_connected(
    cluster: KeyFolder, tmp_path: Path
) -> None:
    old = join(cluster, tmp_path / "slave" / "keys", Role.SLAVE).tls(Role.SLAVE).identity
    secret = Members(cluster).invite(Role.SLAVE, uses=2)
    connected: list[Identity] = [old]
    registrar = Registrar(cluster, (), connected.__contains__)
    with pytest.raises(NotAllowed, match="slave rack is connected"):
        registrar.join(secret, request_for(new_key(), "rack"), "")
    connected.clear()
    registrar.join(secret, request_for(new_key(), "rack"), "")
    assert cluster.revoked() == {old.serial}


def test_ephemeral_members_have_names_of_their_own_and_vanish(cluster: KeyFolder, tmp_path: Path) -> None:
    one, two = (
        join(cluster, tmp_path / place / "keys", Role.SLAVE, is_ephemeral=True).tls(Role.SLAVE).identity
        for place in ("one", "two")
    )
    assert one.name != two.name
    assert one.name.startswith("rack-")
    assert Members(cluster).forget_ephemeral(one.name)
    assert not Members(cluster).forget_ephemeral("vm")
    assert cluster.revoked() == {one.serial}
    assert one.name not in [member.name for member in Members(cluster).all()]


def test_who_got_a_key_is_in_the_audit_log_without_secrets(cluster: KeyFolder, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    secret = Members(cluster).invite(Role.SLAVE)
    Registrar(cluster, audit=AuditLog(path)).join(secret, request_for(new_key(), "rack"), "10.0.0.7")
    line = json.loads(path.read_text())
    assert (line["action"], line["identity"], line["address"]) == ("key", "slave rack", "10.0.0.7")
    assert line["serial"] == Members(cluster).all()[-1].serial
    assert secret not in path.read_text()


def test_no_secret_of_an_invitation_is_in_a_file(cluster: KeyFolder) -> None:
    secret = Members(cluster).invite(Role.SLAVE)
    assert not [path for path in cluster.folder.iterdir() if secret.encode() in path.read_bytes()]


def test_nobody_is_invited_as_master_and_one_name_is_for_one(cluster: KeyFolder) -> None:
    with pytest.raises(ConfigurationError, match="invited as master"):
        Members(cluster).invite(Role.MASTER)
    with pytest.raises(ConfigurationError, match="cannot all be called rack"):
        Members(cluster).invite(Role.SLAVE, uses=2, name="rack")
    with pytest.raises(ConfigurationError, match="cannot be the name of a member"):
        Members(cluster).invite(Role.SLAVE, name="Rack 1")


def test_the_master_does_not_revoke_itself(cluster: KeyFolder) -> None:
    own = cluster.tls(Role.MASTER).identity
    with pytest.raises(ConfigurationError, match=r"is this machine.*ROLE/NAME"):
        Members(cluster).revoke(own.name)
    assert cluster.revoked() == frozenset()
