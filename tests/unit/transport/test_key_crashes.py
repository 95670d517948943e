"""Keys while they are changed, by a process that ends before each step: what is left then works."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from concurrent.transport.security.authority import key_of_authority, new_key, request_for
from concurrent.transport.security.joinline import JoinLine
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.members import Members
from concurrent.transport.security.membership import Invitation
from concurrent.transport.security.newkeys import ensure_cluster, make_cluster, rotate
from concurrent.transport.security.newmember import keep_answer
from concurrent.transport.security.registrar import Registrar
from concurrent.transport.security.roles import Role
from tests.clusterkeys import MASTER, join

NAME = "office-4kd2"
CUT = 9
STEPS = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "open")
"""What Python says before it does it."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def ends_before_step(step: int, base: Path, act: Callable[[], object], steps: tuple[str, ...]) -> bool:
    """Do something in another process, which ends before one of its steps; return whether it has so many.

    :param base: steps elsewhere do not count.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            count = 0

            def hook(event: str, args: tuple[Any, ...]) -> None:
                nonlocal count
                if event not in steps or not str(args[0]).startswith(str(base)):
                    return
                if event != "open" or args[2] & WRITING:
                    if count == step:
                        os._exit(CUT)
                    count += 1

            sys.addaudithook(hook)
            act()
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, CUT)
    return code == CUT


def each_cut(
    base: Path, act: Callable[[], object], check: Callable[[], object], steps: tuple[str, ...] = STEPS
) -> int:
    """Cut an act before each of its steps, and check what is left, from the same beginning each time."""
    kept = base.parent / "kept"
    shutil.copytree(base, kept)
    step = 0
    while ends_before_step(step, base, act, steps):
        check()
        shutil.rmtree(base)
        shutil.copytree(kept, base)
        step += 1
    check()
    return step


@pytest.fixture
def cluster(tmp_path: Path) -> KeyFolder:
    return make_cluster(tmp_path / "master" / "keys", NAME)


def names_in(base: Path) -> list[str]:
    return sorted(os.listdir(base))


def test_a_rotation_that_is_cut_leaves_the_old_keys_or_the_new_ones(cluster: KeyFolder) -> None:
    base, old = cluster.folder.parent, cluster.certificate
    seen = set()

    def check() -> None:
        assert [one.cluster for one in KeyFolder.all(base)] == [NAME]
        keys = ensure_cluster(base)
        assert keys.tls(Role.MASTER).cluster == NAME
        assert KeyFolder.open(base, NAME).certificate == keys.certificate
        assert names_in(base) == [".lock", NAME]
        seen.add(keys.certificate == old)

    assert each_cut(base, lambda: rotate(cluster), check) > 10
    assert seen == {True, False}


def test_who_opens_the_keys_by_their_name_ends_what_was_begun(cluster: KeyFolder) -> None:
    base = cluster.folder.parent
    each_cut(base, lambda: rotate(cluster), lambda: KeyFolder.open(base, NAME).tls(Role.MASTER), ("os.rename",))


def test_keys_that_are_made_and_cut_are_whole_or_not_there(tmp_path: Path) -> None:
    base = tmp_path / "master" / "keys"
    base.mkdir(parents=True, mode=0o700)
    seen = set()

    def check() -> None:
        found = KeyFolder.all(base)
        for keys in found:
            keys.tls(Role.MASTER)
        seen.add(len(found))
        with_another = make_cluster(base, "other")  # and nothing is left over
        assert names_in(base) == [".lock", *([NAME] if found else []), with_another.cluster]

    each_cut(base, lambda: make_cluster(base, NAME), check)
    assert seen == {0, 1}


def test_joining_again_and_cut_leaves_the_old_key_or_the_new_one(cluster: KeyFolder, tmp_path: Path) -> None:
    base = tmp_path / "slave" / "keys"
    old = join(cluster, base, Role.SLAVE).tls(Role.SLAVE).identity
    secret = Members(cluster).invite(Role.SLAVE)
    line = JoinLine(NAME, key_of_authority(cluster.certificate), secret, MASTER)
    key = new_key()
    answer = json.loads(Registrar(cluster, (MASTER,)).join(secret, request_for(key, "rack"), "192.0.2.7"))
    seen = set()

    def check() -> None:
        (keys,) = KeyFolder.all(base)
        seen.add(keys.tls(Role.SLAVE).identity.serial == old.serial)
        join(cluster, base, Role.SUBMIT)
        assert names_in(base) == [".lock", NAME]
        assert keys.tls(Role.SLAVE)

    assert each_cut(base, lambda: keep_answer(base, line, MASTER, key, answer), check) > 10
    assert seen == {True, False}


def test_a_member_that_is_let_in_and_cut_has_used_up_the_invitation_at_the_least(cluster: KeyFolder) -> None:
    base = cluster.folder.parent
    secret = Members(cluster).invite(Role.SLAVE)
    request = request_for(new_key(), "rack")
    seen = set()

    def check() -> None:
        KeyFolder.open(base, NAME).tls(Role.MASTER)
        members = Members(cluster)
        seen.add((len(members.all()) - 1, len(members.invitations())))

    each_cut(base, lambda: Registrar(cluster).join(secret, request, "192.0.2.7"), check)
    assert seen == {(0, 1), (0, 0), (1, 0)}


def test_a_revocation_that_is_cut_is_done_or_not(cluster: KeyFolder, tmp_path: Path) -> None:
    base = cluster.folder.parent
    join(cluster, tmp_path / "slave" / "keys", Role.SLAVE)
    serial = next(one.serial for one in Members(cluster).all() if one.role is Role.SLAVE)
    seen = set()

    def check() -> None:
        keys = KeyFolder.open(base, NAME)
        keys.tls(Role.MASTER)
        seen.add(keys.revoked())

    def revoke() -> None:
        (one,) = Members(cluster).revoke("rack")
        assert not isinstance(one, Invitation)

    each_cut(base, revoke, check)
    assert seen == {frozenset(), frozenset({serial})}
