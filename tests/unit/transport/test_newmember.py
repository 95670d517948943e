"""Joining over a network: who answers is known before it is told anything, and what comes is checked."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from concurrent.core.errors import (
    ConcurrentError,
    ConfigurationError,
    ConnectionLost,
    NotAllowed,
    ProtocolError,
    UnknownHost,
)
from concurrent.core.items import Host
from concurrent.transport.security.authority import key_of_authority
from concurrent.transport.security.joinline import JoinLine
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.members import Members
from concurrent.transport.security.newkeys import make_cluster, rotate
from concurrent.transport.security.newmember import make_join
from concurrent.transport.security.registrar import Registrar
from concurrent.transport.security.roles import Role
from tests.clusterkeys import join
from tests.joinserver import JoinServer, registered


@pytest.fixture
def cluster(tmp_path: Path) -> KeyFolder:
    return make_cluster(tmp_path / "master" / "keys", "office-4kd2")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "slave" / "keys"


def line_for(cluster: KeyFolder, host: Host, role: Role = Role.SLAVE) -> str:
    secret = Members(cluster).invite(role)
    return JoinLine(cluster.cluster, key_of_authority(cluster.certificate), secret, host).text


def master_of(cluster: KeyFolder, masters: tuple[Host, ...] = ()) -> JoinServer:
    return JoinServer(cluster.tls(Role.MASTER).server, registered(Registrar(cluster, masters)))


def answering(cluster: KeyFolder, status: int, body: bytes) -> JoinServer:
    """Return a master that always answers the same."""
    return JoinServer(cluster.tls(Role.MASTER).server, lambda *_: (status, body))


def test_a_machine_joins_and_knows_its_master(cluster: KeyFolder, base: Path) -> None:
    other = Host("10.0.0.9", 1)
    with master_of(cluster, (other,)) as master:
        keys, identity = make_join(line_for(cluster, master.host), base, name="rack")
        assert keys.masters == (master.host, other)
    assert str(identity) == "slave rack"
    assert KeyFolder.open(base, "office-4kd2").tls(Role.SLAVE).identity == identity
    assert keys.certificate == cluster.certificate


def test_the_address_may_be_given_beside_the_line(cluster: KeyFolder, base: Path) -> None:
    with master_of(cluster) as master:
        line = line_for(cluster, Host("192.0.2.1", 1))
        assert make_join(line, base, master=master.host).keys.masters == (master.host,)


def test_a_second_role_stands_beside_the_first(cluster: KeyFolder, base: Path) -> None:
    with master_of(cluster) as master:
        make_join(line_for(cluster, master.host), base, name="rack")
        keys, _ = make_join(line_for(cluster, master.host, Role.SUBMIT), base, name="rack")
    assert set(keys.roles) == {Role.SLAVE, Role.SUBMIT}


def test_after_a_rotation_a_machine_joins_again(cluster: KeyFolder, base: Path) -> None:
    old = join(cluster, base, Role.SUBMIT).certificate
    new = rotate(cluster)
    with master_of(new) as master:
        keys, _ = make_join(line_for(new, master.host), base)
    assert keys.certificate != old
    assert keys.roles == (Role.SLAVE,)


@pytest.mark.parametrize("name", ["office-4kd2", "garage-7hn3"])
def test_a_master_of_another_authority_is_told_nothing(
    cluster: KeyFolder, base: Path, tmp_path: Path, name: str
) -> None:
    stranger = make_cluster(tmp_path / "stranger" / "keys", name)
    with master_of(stranger) as master:
        with pytest.raises(NotAllowed, match="is not of the authority in the line"):
            make_join(line_for(cluster, master.host), base)
        assert master.headers == []
    assert KeyFolder.all(base) == []


def test_a_member_that_is_no_master_is_told_nothing(cluster: KeyFolder, base: Path, tmp_path: Path) -> None:
    slave = join(cluster, tmp_path / "other" / "keys", Role.SLAVE)
    with JoinServer(slave.tls(Role.SLAVE).server, registered(Registrar(cluster))) as master:
        with pytest.raises(NotAllowed, match="is of another name"):
            make_join(line_for(cluster, master.host), base)
        assert master.headers == []


def test_a_port_without_tls_is_told_nothing(cluster: KeyFolder, base: Path) -> None:
    with JoinServer(None, registered(Registrar(cluster))) as master:
        with pytest.raises(ConnectionLost, match="does not answer as a master with keys does"):
            make_join(line_for(cluster, master.host), base)
        assert master.headers == []


def test_a_used_up_line_is_refused(cluster: KeyFolder, base: Path) -> None:
    with master_of(cluster) as master:
        line = line_for(cluster, master.host)
        make_join(line, base)
        with pytest.raises(NotAllowed, match="does not take the invitation") as raised:
            make_join(line, base)
    assert line not in str(raised.value)
    assert KeyFolder.open(base, "office-4kd2").tls(Role.SLAVE)


def test_a_name_that_is_in_use_is_told_by_the_master(cluster: KeyFolder, base: Path) -> None:
    join(cluster, base, Role.SLAVE, "rack")
    registrar = Registrar(cluster, (), lambda _member: True)
    with (
        JoinServer(cluster.tls(Role.MASTER).server, registered(registrar)) as master,
        pytest.raises(NotAllowed, match=r"slave rack is connected.*concurrent join --name NAME"),
    ):
        make_join(line_for(cluster, master.host), base, name="rack")


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"[]", b"hello", b"{}", b'{"certificate": 1, "authority": 2, "masters": [], "role": "slave"}',
        b'{"certificate": "x", "authority": "y", "masters": [], "role": "slave", "cluster": "office-4kd2"}',
    ],
)  # fmt: skip
def test_an_answer_of_another_form_is_refused(cluster: KeyFolder, base: Path, answer: bytes) -> None:
    with answering(cluster, 200, answer) as master, pytest.raises(ProtocolError):
        make_join(line_for(cluster, master.host), base)
    assert KeyFolder.all(base) == []


def test_the_certificate_of_another_key_is_refused(cluster: KeyFolder, base: Path, tmp_path: Path) -> None:
    other = join(cluster, tmp_path / "other" / "keys", Role.SLAVE)
    values = {
        "certificate": other.read("slave.crt").decode(), "authority": cluster.certificate.decode(),
        "cluster": cluster.cluster, "role": "slave", "masters": [],
    }  # fmt: skip
    answer = json.dumps(values).encode()
    with answering(cluster, 200, answer) as master, pytest.raises(ProtocolError, match="not for this key"):
        make_join(line_for(cluster, master.host), base)


@pytest.mark.parametrize("status", [401, 404, 500])
def test_another_answer_is_told(cluster: KeyFolder, base: Path, status: int) -> None:
    with answering(cluster, status, b"") as master, pytest.raises(ProtocolError, match=f"answered {status}"):
        make_join(line_for(cluster, master.host), base)


def test_the_machine_of_the_master_need_not_join(cluster: KeyFolder) -> None:
    with pytest.raises(ConfigurationError, match="need not join"):
        make_join(line_for(cluster, Host("127.0.0.1", 1)), cluster.folder.parent)


def test_a_master_that_is_not_there_is_named(cluster: KeyFolder, base: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = Host("127.0.0.1", listener.getsockname()[1])
    with pytest.raises(ConnectionLost, match="cannot be reached") as raised:
        make_join(line_for(cluster, gone), base)
    assert "--master" in str(raised.value)
    with pytest.raises(UnknownHost, match=r"no host nowhere\.invalid. .* with --master ADDRESS:1"):
        make_join(line_for(cluster, Host("nowhere.invalid", 1)), base)


def test_where_keys_cannot_be_kept_nobody_is_asked(cluster: KeyFolder, base: Path) -> None:
    base.mkdir(parents=True, mode=0o755)
    with master_of(cluster) as master:
        line = line_for(cluster, master.host)
        with pytest.raises(ConfigurationError, match="0755"):
            make_join(line, base)
        assert master.headers == []


def test_no_error_has_the_secret(cluster: KeyFolder, base: Path) -> None:
    line = line_for(cluster, Host("127.0.0.1", 1))
    secret = JoinLine.parse(line).secret
    with pytest.raises(ConcurrentError) as raised:
        make_join(line, base)
    error: BaseException | None = raised.value
    while error is not None:
        assert secret not in f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__
