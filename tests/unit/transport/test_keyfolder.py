"""The key folder: made, used, and refused by name when any part of it is not as it has to be."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from concurrent.core.errors import ConfigurationError
from concurrent.transport.security import privatefiles
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.members import Members
from concurrent.transport.security.newkeys import ensure_cluster, make_cluster, rotate
from concurrent.transport.security.place import keys_base
from concurrent.transport.security.roles import Role
from tests.clusterkeys import MASTER, join


@pytest.fixture
def cluster(tmp_path: Path) -> KeyFolder:
    return make_cluster(tmp_path / "master" / "keys", "office-4kd2")


@pytest.fixture
def slave(cluster: KeyFolder, tmp_path: Path) -> KeyFolder:
    return join(cluster, tmp_path / "slave" / "keys", Role.SLAVE)


def test_the_keys_are_in_the_configuration_folder_of_the_user() -> None:
    assert keys_base({"XDG_CONFIG_HOME": "/there"}) == Path("/there/concurrent/keys")
    assert keys_base({"XDG_CONFIG_HOME": "relative"}) == Path.home() / ".config/concurrent/keys"
    assert keys_base({}) == Path.home() / ".config/concurrent/keys"


def test_a_cluster_is_called_after_the_machine_unless_it_is_given_a_name(tmp_path: Path) -> None:
    made = make_cluster(tmp_path / "keys")
    assert made.cluster == made.tls(Role.MASTER).cluster
    assert len(made.cluster.rpartition("-")[2]) == 4


def test_only_the_user_can_read_the_files(cluster: KeyFolder, slave: KeyFolder) -> None:
    for keys in (cluster, slave):
        assert keys.folder.stat().st_mode & 0o777 == 0o700
        assert keys.folder.parent.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in keys.folder.iterdir()} == {0o600}


def test_master_and_member_know_who_they_are(cluster: KeyFolder, slave: KeyFolder) -> None:
    assert cluster.is_authority
    assert cluster.tls(Role.MASTER).identity.role is Role.MASTER
    assert not slave.is_authority
    assert slave.roles == (Role.SLAVE,)
    assert slave.masters == (MASTER,)
    assert str(slave.tls(Role.SLAVE).identity) == "slave rack"
    assert slave.tls(Role.SLAVE).node_name == "node.office-4kd2"


def test_a_machine_can_have_several_roles(cluster: KeyFolder, slave: KeyFolder) -> None:
    both = join(cluster, slave.folder.parent, Role.SUBMIT)
    assert set(both.roles) == {Role.SLAVE, Role.SUBMIT}
    assert both.tls(Role.SLAVE).identity.role is Role.SLAVE
    assert both.tls(Role.SUBMIT).identity.role is Role.SUBMIT


def test_a_role_that_the_machine_has_not_is_named_with_those_that_it_has(slave: KeyFolder) -> None:
    with pytest.raises(ConfigurationError, match="no key of role submit; it has slave") as raised:
        slave.tls(Role.SUBMIT)
    assert "concurrent keys invite submit" in str(raised.value)


def test_key_folders_are_listed_and_found_by_their_names(cluster: KeyFolder) -> None:
    base = cluster.folder.parent
    assert [one.cluster for one in KeyFolder.all(base)] == ["office-4kd2"]
    assert KeyFolder.all(base / "none") == []
    assert KeyFolder.open(base, "office-4kd2").is_authority
    with pytest.raises(ConfigurationError, match="Did you mean office-4kd2"):
        KeyFolder.open(base, "office-4kd3")
    with pytest.raises(ConfigurationError, match="cannot be the name of a cluster"):
        KeyFolder.open(base, "../office-4kd2")


def test_a_cluster_is_not_made_twice_and_ensured_only_once(cluster: KeyFolder) -> None:
    with pytest.raises(ConfigurationError, match="there are keys of cluster office-4kd2"):
        make_cluster(cluster.folder.parent, "office-4kd2")
    assert ensure_cluster(cluster.folder.parent).cluster == "office-4kd2"
    assert ensure_cluster(cluster.folder.parent.parent / "other").is_authority


def test_of_many_who_ensure_a_cluster_at_once_all_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = threads.map(lambda _: ensure_cluster(tmp_path / "keys").cluster, range(4))
        assert len(set(made)) == 1


def test_who_cannot_write_because_another_does_is_told(
    cluster: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privatefiles, "LOCK_TIMEOUT_S", 0.0)
    with cluster.changing():
        assert cluster.membership().members
        with pytest.raises(ConfigurationError, match="another command has been changing the keys"):
            Members(cluster).invite(Role.SLAVE)


def overwrite(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def cut(path: Path) -> None:
    overwrite(path, path.read_bytes()[:-60])


def of(other: str) -> Callable[[KeyFolder, KeyFolder, str], None]:
    """Return what puts the file of another machine or cluster in the place of one."""

    def swap(keys: KeyFolder, stranger: KeyFolder, name: str) -> None:
        shutil.copyfile(stranger.path(other), keys.path(name))

    return swap


def gone(keys: KeyFolder, _stranger: KeyFolder, name: str) -> None:
    keys.path(name).unlink()


def readable(keys: KeyFolder, _stranger: KeyFolder, name: str) -> None:
    keys.path(name).chmod(0o644)


def truncated(keys: KeyFolder, _stranger: KeyFolder, name: str) -> None:
    cut(keys.path(name))


def emptied(keys: KeyFolder, _stranger: KeyFolder, name: str) -> None:
    overwrite(keys.path(name), b"")


def linked(keys: KeyFolder, _stranger: KeyFolder, name: str) -> None:
    elsewhere = keys.folder.parent.parent / name
    shutil.move(keys.path(name), elsewhere)
    keys.path(name).symlink_to(elsewhere)


def a_pipe(keys: KeyFolder, _stranger: KeyFolder, name: str) -> None:
    keys.path(name).unlink()
    os.mkfifo(keys.path(name), 0o600)


ALL = (gone, readable, truncated, emptied, linked, a_pipe)
MASTER_FILES = ("cluster.json", "ca.crt", "ca.key", "master.crt", "members.json", "invitations.json")
SLAVE_FILES = ("cluster.json", "ca.crt", "slave.crt")


@pytest.mark.parametrize("damage", ALL, ids=lambda one: one.__name__)
@pytest.mark.parametrize("name", [*MASTER_FILES, "master.key"])
def test_a_master_does_not_start_without_any_part_as_it_was_made(
    cluster: KeyFolder, slave: KeyFolder, name: str, damage: Callable[[KeyFolder, KeyFolder, str], None]
) -> None:
    damage(cluster, slave, name)
    check_that_it_is_refused(cluster, Role.MASTER, name)


@pytest.mark.parametrize("damage", ALL, ids=lambda one: one.__name__)
@pytest.mark.parametrize("name", [*SLAVE_FILES, "slave.key"])
def test_a_slave_does_not_start_without_any_part_as_it_was_made(
    slave: KeyFolder, cluster: KeyFolder, name: str, damage: Callable[[KeyFolder, KeyFolder, str], None]
) -> None:
    damage(slave, cluster, name)
    check_that_it_is_refused(slave, Role.SLAVE, name)


def check_that_it_is_refused(keys: KeyFolder, role: Role, name: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        keys.tls(role)
    text = str(raised.value)
    assert name in text
    assert raised.value.remedy
    assert "PRIVATE KEY" not in text


@pytest.mark.parametrize("name", [*MASTER_FILES, "master.key"])
def test_the_files_of_a_cluster_of_the_same_name_do_not_fit(
    cluster: KeyFolder, tmp_path: Path, name: str
) -> None:
    stranger = make_cluster(tmp_path / "stranger" / "keys", cluster.cluster)
    of(name)(cluster, stranger, name)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        cluster.tls(Role.MASTER)


@pytest.mark.parametrize("name", ["cluster.json", "members.json", "invitations.json"])
def test_a_file_of_a_cluster_of_another_name_is_told(cluster: KeyFolder, tmp_path: Path, name: str) -> None:
    stranger = make_cluster(tmp_path / "stranger" / "keys", "garage-7hn3")
    of(name)(cluster, stranger, name)
    with pytest.raises(ConfigurationError, match=f"{name} cannot be used: it belongs to cluster 'garage-7hn3'"):
        cluster.tls(Role.MASTER)


def test_the_key_of_another_machine_does_not_fit(slave: KeyFolder, cluster: KeyFolder, tmp_path: Path) -> None:
    other = join(cluster, tmp_path / "other" / "keys", Role.SLAVE, "shelf")
    of("slave.key")(slave, other, "slave.key")
    check_that_it_is_refused(slave, Role.SLAVE, "slave.key")


def test_key_and_certificate_of_another_role_do_not_fit(slave: KeyFolder, cluster: KeyFolder) -> None:
    both = join(cluster, slave.folder.parent, Role.SUBMIT)
    for ending in ("crt", "key"):
        of(f"submit.{ending}")(both, both, f"slave.{ending}")
    with pytest.raises(
        ConfigurationError, match=r"slave\.crt cannot be used: it is the certificate of submit rack"
    ):
        both.tls(Role.SLAVE)


def test_key_and_certificate_of_a_member_make_no_master(slave: KeyFolder, cluster: KeyFolder) -> None:
    for ending in ("crt", "key"):
        of(f"slave.{ending}")(cluster, slave, f"master.{ending}")
    check_that_it_is_refused(cluster, Role.MASTER, "master.crt")


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_a_password(slave: KeyFolder) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(slave.read("slave.key"), None)
    encryption = serialization.BestAvailableEncryption(b"secret")
    form = serialization.PrivateFormat.PKCS8
    slave.write("slave.key", key.private_bytes(serialization.Encoding.PEM, form, encryption))
    check_that_it_is_refused(slave, Role.SLAVE, "slave.key")


def test_files_of_a_later_version_are_told(slave: KeyFolder) -> None:
    text = slave.read("cluster.json").replace(b'"version": 1', b'"version": 2')
    slave.write("cluster.json", text)
    with pytest.raises(ConfigurationError, match=r"cluster\.json cannot be used: it has version 2"):
        slave.tls(Role.SLAVE)


@pytest.mark.parametrize("values", [b"[]", b"[" * 10**5, b'{"version": 1}', b"\xff"])
def test_json_of_another_form_is_told(cluster: KeyFolder, values: bytes) -> None:
    cluster.write("members.json", values)
    check_that_it_is_refused(cluster, Role.MASTER, "members.json")


def test_members_of_another_form_are_told(cluster: KeyFolder) -> None:
    cluster.write_json("members.json", {"members": [{"role": "king"}], "forgotten": {}})
    check_that_it_is_refused(cluster, Role.MASTER, "members.json")


@pytest.mark.parametrize("mode", [0o755, 0o711])
def test_a_folder_that_others_can_enter_is_refused(slave: KeyFolder, mode: int) -> None:
    slave.folder.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"{mode:04o}"):
        slave.tls(Role.SLAVE)
    slave.folder.chmod(0o700)
    slave.folder.parent.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"{mode:04o}"):
        slave.tls(Role.SLAVE)


def test_a_folder_that_is_a_link_is_refused(slave: KeyFolder) -> None:
    elsewhere = slave.folder.parent.parent / "elsewhere"
    slave.folder.rename(elsewhere)
    slave.folder.symlink_to(elsewhere)
    with pytest.raises(ConfigurationError, match="not a folder"):
        slave.tls(Role.SLAVE)


def test_the_key_of_the_authority_has_no_place_on_other_machines(cluster: KeyFolder, slave: KeyFolder) -> None:
    slave.write("ca.key", cluster.read("ca.key"))
    with pytest.raises(ConfigurationError, match="machines of masters only"):
        slave.tls(Role.SLAVE)


def test_a_master_that_was_revoked_does_not_start(cluster: KeyFolder) -> None:
    serial = cluster.tls(Role.MASTER).identity.serial
    with cluster.changing() as membership:
        membership.revoke(serial, 1.0)
    with pytest.raises(ConfigurationError, match=r"master\.crt cannot be used: it has been revoked"):
        cluster.tls(Role.MASTER)


def test_changes_are_seen_by_every_process(cluster: KeyFolder, slave: KeyFolder) -> None:
    watcher = KeyFolder(cluster.folder)
    assert watcher.revoked() == frozenset()
    before = watcher.stamp()
    assert watcher.stamp() == before
    Members(cluster).revoke("rack")
    assert watcher.stamp() != before
    assert watcher.revoked() == {slave.tls(Role.SLAVE).identity.serial}


def test_other_machines_learn_who_is_revoked_from_their_master(slave: KeyFolder) -> None:
    assert slave.revoked() == frozenset()
    with pytest.raises(ConfigurationError, match="on the machine of its master"):
        Members(slave).all()


def test_a_machine_remembers_who_was_revoked_as_its_master_said(cluster: KeyFolder, slave: KeyFolder) -> None:
    other = KeyFolder(slave.folder)  # of another process
    assert other.revoked() == frozenset()
    slave.keep_revoked(["0b", "0a"])
    slave.keep_revoked(["0c"])
    assert other.revoked() == {"0a", "0b", "0c"}
    assert slave.path("revoked.json").stat().st_mode & 0o777 == 0o600
    kept = slave.stamp()
    slave.keep_revoked(["0a"])
    assert slave.stamp() == kept
    joined = join(cluster, slave.folder.parent, Role.SUBMIT)
    assert joined.revoked() == {"0a", "0b", "0c"}
    assert set(joined.roles) == {Role.SLAVE, Role.SUBMIT}


def test_a_member_does_not_start_with_a_key_that_it_was_told_is_revoked(slave: KeyFolder) -> None:
    slave.keep_revoked([slave.tls(Role.SLAVE).identity.serial])
    with pytest.raises(ConfigurationError, match="it has been revoked"):
        slave.tls(Role.SLAVE)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"serials": 1}'])
def test_who_was_revoked_is_not_read_from_a_damaged_file(slave: KeyFolder, content: bytes) -> None:
    slave.keep_revoked(["0a"])
    if content == b'{"serials": 1}':
        slave.write_json("revoked.json", {"serials": 1})
    else:
        slave.write("revoked.json", content)
    with pytest.raises(ConfigurationError, match=r"revoked\.json cannot be used"):
        slave.tls(Role.SLAVE)


def test_what_raises_changes_nothing(cluster: KeyFolder) -> None:
    before = cluster.read("members.json"), cluster.read("invitations.json")
    with contextlib.suppress(KeyError), cluster.changing() as membership:
        membership.forgotten["01"] = 1e10
        raise KeyError
    assert (cluster.read("members.json"), cluster.read("invitations.json")) == before


def test_a_new_authority_ends_all_trust(cluster: KeyFolder, slave: KeyFolder) -> None:
    cluster.write_cluster((MASTER,), is_authority=True)
    watcher = KeyFolder(cluster.folder)
    old = cluster.certificate
    serials = {cluster.tls(Role.MASTER).identity.serial, slave.tls(Role.SLAVE).identity.serial}
    with cluster.changing() as membership:
        membership.former.add("submit:ann")
    assert watcher.revoked() == frozenset()
    before = watcher.stamp()
    new = rotate(cluster)
    assert new.certificate != old
    assert new.masters == (MASTER,)
    assert watcher.stamp() != before
    assert watcher.revoked() == serials
    assert new.membership().former == {"submit:ann"}
    assert new.tls(Role.MASTER).identity.serial not in serials
    assert [path.name for path in new.folder.parent.iterdir() if path.name != ".lock"] == ["office-4kd2"]


def test_damaged_keys_can_be_made_anew(cluster: KeyFolder) -> None:
    cluster.path("members.json").unlink()
    assert rotate(cluster).tls(Role.MASTER).identity.role is Role.MASTER


def test_the_keys_of_a_machine_can_be_made_anew_by_joining_again(cluster: KeyFolder, slave: KeyFolder) -> None:
    cut(slave.path("slave.crt"))
    rotate(cluster)
    assert join(cluster, slave.folder.parent, Role.SLAVE).tls(Role.SLAVE).identity.name == "rack"


def test_nodes_do_not_import_what_makes_keys() -> None:
    program = (
        "import sys; import concurrent.apps.master, concurrent.apps.slave; print('cryptography' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize("text", ["", "-----BEGIN PRIVATE KEY-----\n", "no key"])
def test_nobody_becomes_a_member_by_a_damaged_key_of_the_authority(cluster: KeyFolder, text: str) -> None:
    cluster.path("ca.key").write_text(text)
    with pytest.raises(ConfigurationError, match=r"ca\.key"), cluster.changing():
        pytest.fail("the key is damaged")


def test_nobody_becomes_a_member_by_the_key_of_another_authority(cluster: KeyFolder, tmp_path: Path) -> None:
    other = make_cluster(tmp_path / "other" / "keys", "office-4kd2")
    cluster.write("ca.key", other.read("ca.key"))
    with pytest.raises(ConfigurationError, match=r"ca\.key"), cluster.changing():
        pytest.fail("the key is another one")
