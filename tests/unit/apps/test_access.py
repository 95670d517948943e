"""Where the master is that is meant, and what a person reads who has no key for it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from concurrent.apps.access import MANAGING, OBSERVING, ROLES_BY_TYPE, Access, KeySettings
from concurrent.apps.api import PORT_DEFAULT, NodeType
from concurrent.apps.applicationsettings import ApplicationSettings
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError, NotAllowed
from concurrent.core.items import Host
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.roles import Role
from tests.clusterkeys import join

HERE = Host("127.0.0.1", PORT_DEFAULT)
MASTER = Host("192.0.2.5", 9000)
ELSEWHERE = Host("192.0.2.99", PORT_DEFAULT)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> KeyFolder:
    return make_cluster(tmp_path_factory.mktemp("master") / "keys", "office")


def joined(cluster: KeyFolder, base: Path, role: Role) -> None:
    """Have a machine be one that has joined the cluster of the master at MASTER."""
    join(cluster, base, role).write_cluster((MASTER,), is_authority=False)


def access(base: Path, cluster: str = "") -> Access:
    settings: Any = SimpleNamespace(base=lambda: base, cluster=cluster, has_place=True)
    return Access(cast("KeySettings", settings), is_open=False)


def test_without_keys_the_master_is_on_this_machine(tmp_path: Path) -> None:
    assert access(tmp_path).default_master() == HERE
    assert not access(tmp_path).has_joined
    with pytest.raises(ConfigurationError, match=r"joined no cluster.*concurrent keys invite submit"):
        access(tmp_path).joined_master()


def test_the_cluster_that_was_joined_says_where_its_master_is(cluster: KeyFolder, tmp_path: Path) -> None:
    joined(cluster, tmp_path, Role.SUBMIT)
    assert access(tmp_path).has_joined
    assert access(tmp_path).default_master() == access(tmp_path).joined_master() == MASTER


def test_where_the_authority_is_the_master_is_too(cluster: KeyFolder) -> None:
    base = cluster.folder.parent
    assert access(base).default_master() == access(base).joined_master() == HERE


def test_of_several_clusters_one_has_to_be_named(cluster: KeyFolder, tmp_path: Path) -> None:
    joined(cluster, tmp_path, Role.SLAVE)
    make_cluster(tmp_path, "garage")
    with pytest.raises(ConfigurationError, match=r"2 clusters: garage, office. .*keys.cluster=NAME"):
        access(tmp_path).default_master()
    with pytest.raises(ConfigurationError, match=r"keys.cluster=NAME"):
        access(tmp_path).towards(ELSEWHERE, ROLES_BY_TYPE[NodeType.slave])
    assert access(tmp_path, "garage").default_master() == HERE
    assert access(tmp_path, "office").default_master() == MASTER


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        (ROLES_BY_TYPE[NodeType.slave], "slave"),
        (MANAGING, "submit"),
        (OBSERVING, "observe"),
        (tuple(reversed(OBSERVING)), "observe"),
    ],
)
def test_who_has_no_key_reads_what_to_type(tmp_path: Path, roles: tuple[Role, ...], role: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        access(tmp_path).towards(ELSEWHERE, roles)
    assert f"a key of role {role}, and this user has none." in str(caught.value)
    assert f"'concurrent keys invite {role}'" in str(caught.value)


def test_who_has_a_key_of_another_role_reads_which(cluster: KeyFolder, tmp_path: Path) -> None:
    joined(cluster, tmp_path, Role.OBSERVE)
    with pytest.raises(NotAllowed, match=r"role slave, and this user has none but observe \(cluster office\)"):
        access(tmp_path).towards(ELSEWHERE, ROLES_BY_TYPE[NodeType.slave])


def test_programs_and_commands_look_for_a_master_in_the_same_way(cluster: KeyFolder, tmp_path: Path) -> None:
    joined(cluster, tmp_path, Role.SUBMIT)
    options = {"keys.folder": str(tmp_path)}

    def settings(**more: str) -> ApplicationSettings:
        return Environment(variables={}, overrides={**options, **more})[ApplicationSettings]

    assert settings().named_master() is None
    assert settings().running_master(None, "--master").host == MASTER
    assert settings().running_master("joined", "--master").host == MASTER
    assert settings().running_master("near:9", "--master").host == Host("near", 9)
    named = settings(**{"application.master": "far:9"})
    assert named.running_master(None, "--master").host == Host("far", 9)
    chosen = settings(**{"application.master": "joined"}).named_master()
    assert chosen is not None
    assert chosen.host == MASTER


def test_who_has_no_home_has_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.delenv("XDG_CONFIG_HOME")
    access = Access(Environment(variables={})[KeySettings], is_open=False)
    assert access.default_master() == HERE
    assert access.towards(HERE, MANAGING).tls is None
    with pytest.raises(ConfigurationError, match=r"keys\.folder"):
        access.master()
