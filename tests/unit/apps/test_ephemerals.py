"""Which ephemeral members are gone, and that they are forgotten then."""

from __future__ import annotations

from pathlib import Path

import pytest

from concurrent.apps.ephemerals import ABSENT_S, Absences, EphemeralWatch
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.members import Members
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.roles import Role
from tests.clusterkeys import join

ONE, TWO = (Identity(Role.SLAVE, name, "office", name) for name in ("one", "two"))


def test_a_member_is_gone_when_it_was_without_a_session_for_long_enough() -> None:
    absences, connected = Absences(), {ONE, TWO}
    assert absences.over([ONE, TWO], connected.__contains__, 0.0) == []
    connected.remove(ONE)
    assert absences.over([ONE, TWO], connected.__contains__, 1000.0) == []
    assert absences.over([ONE, TWO], connected.__contains__, 1000.0 + ABSENT_S - 1) == []
    assert absences.over([ONE, TWO], connected.__contains__, 1000.0 + ABSENT_S) == [ONE]
    assert absences.over([TWO], connected.__contains__, 9000.0) == []


def test_a_member_that_came_back_is_absent_from_its_next_leave_on() -> None:
    absences, connected = Absences(), {ONE}
    nobody: set[Identity] = set()
    assert absences.over([ONE], nobody.__contains__, 0.0) == []
    assert absences.over([ONE], connected.__contains__, ABSENT_S) == []
    assert absences.over([ONE], nobody.__contains__, ABSENT_S + 1) == []
    assert absences.over([ONE], nobody.__contains__, 2 * ABSENT_S) == []
    assert absences.over([ONE], nobody.__contains__, 2 * ABSENT_S + 1) == [ONE]


def test_who_is_gone_is_forgotten_and_lasting_members_never(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path / "master" / "keys", "office-4kd2")
    short = join(cluster, tmp_path / "short" / "keys", Role.SLAVE, is_ephemeral=True)
    join(cluster, tmp_path / "lasting" / "keys", Role.SLAVE)
    noted: list[Identity] = []
    watch = EphemeralWatch(cluster, lambda _member: False, noted.append)
    watch.look(0.0)
    assert noted == []
    watch.look(ABSENT_S)
    identity = short.tls(Role.SLAVE).identity
    assert noted == [identity]
    assert cluster.revoked() == {identity.serial}
    assert [one.name for one in Members(cluster).all()][1:] == ["rack"]
    watch.look(2 * ABSENT_S)
    assert noted == [identity]


def test_keys_that_cannot_be_read_are_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cluster = make_cluster(tmp_path / "keys", "office-4kd2")
    cluster.path("members.json").unlink()
    watch = EphemeralWatch(cluster, lambda _member: False, lambda _member: None)
    watch.look(0.0)
    watch.look(1.0)
    assert caplog.text.count("members.json") == 1


def test_the_thread_ends_with_its_owner(tmp_path: Path) -> None:
    watch = EphemeralWatch(make_cluster(tmp_path / "keys"), lambda _member: False, lambda _member: None)
    watch.begin()
    watch.close()
    watch.close()
