"""Who may do what, whose trust has ended, and where processes of one user meet."""

from __future__ import annotations

import os
import socket
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from concurrent.core.errors import AddressError, ConfigurationError, NotAllowed
from concurrent.transport.security import place as place_module
from concurrent.transport.security.identity import ANYBODY, THIS_USER, Identity
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.place import Place, check_peer, keys_base, private_folder, run_folder
from concurrent.transport.security.roles import Role, roles_of
from concurrent.transport.security.trust import Trust


def test_a_method_without_roles_is_for_those_who_hold_the_keys_of_a_master() -> None:
    assert roles_of(None) == {Role.ADMIN, Role.MASTER}


@pytest.mark.parametrize("roles", ["slave", ["slave"], [Role.SLAVE]])
def test_roles_are_given_by_name_or_value_and_an_admin_may_do_everything(roles: str | list[str]) -> None:
    assert roles_of(roles) == {Role.SLAVE, Role.ADMIN, Role.MASTER}


def test_an_unknown_role_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'king'"):
        roles_of(["king"])


def test_a_revoked_identity_is_refused_and_listeners_hear_of_new_ones_only() -> None:
    trust = Trust(["01"])
    heard: list[frozenset[str]] = []
    trust.listen(heard.append)
    trust.revoke(["01", "02"])
    trust.revoke(["02"])
    assert heard == [frozenset({"02"})]
    for serial in ("01", "02"):
        with pytest.raises(NotAllowed, match="slave rack has been revoked"):
            trust.check(Identity(Role.SLAVE, "rack", "office", serial))
    trust.check(Identity(Role.SLAVE, "rack", "office", "03"))
    trust.check(THIS_USER)
    trust.check(ANYBODY)


def test_who_listens_no_more_is_told_nothing() -> None:
    trust = Trust()
    heard: list[frozenset[str]] = []
    told_others: list[frozenset[str]] = []
    for listener in (heard.append, told_others.append):
        trust.listen(listener)
    trust.ignore(heard.append)
    trust.ignore(heard.append)
    trust.revoke(["01"])
    assert heard == []
    assert told_others == [frozenset({"01"})]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="c") as name:
        yield Path(name)


def test_a_place_is_made_for_this_user_alone_and_emptied(folder: Path) -> None:
    place = Place(folder / "run" / "8750")
    place.make()
    assert (folder / "run").stat().st_mode & 0o777 == 0o700
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(place.path("http"))
        assert place.has("http")
    assert not place.has("compute")
    place.make()
    assert not place.has("http")
    place.remove()
    assert not place.folder.exists()


def test_a_place_in_which_a_node_listens_is_left_to_it(folder: Path) -> None:
    place = Place(folder / "8750")
    place.make()
    with place.listen("http"):
        with pytest.raises(AddressError, match=r"another node of this user listens.*XDG_RUNTIME_DIR"):
            place.make()
        assert place.has("http")
    place.make()  # it has ended without an orderly end
    assert not place.has("http")


def test_a_node_that_ends_leaves_the_socket_of_the_next_one(folder: Path) -> None:
    former, following = Place(folder / "8750"), Place(folder / "8750")
    former.make()
    with former.listen("compute"):
        former.remove()
        following.make()
        with following.listen("compute"):
            former.forget("compute")
            assert following.has("compute")
            following.forget("compute")
            assert not following.has("compute")
            following.forget("compute")


def test_a_folder_that_others_can_enter_is_no_place(folder: Path) -> None:
    place = Place(folder / "8750")
    place.make()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(place.path("http"))
    place.folder.chmod(0o755)
    assert not place.has("http")
    with pytest.raises(ConfigurationError, match="0755"):
        place.make()


def test_a_link_is_no_place(folder: Path) -> None:
    (folder / "real").mkdir(mode=0o700)
    (folder / "8750").symlink_to(folder / "real")
    with pytest.raises(ConfigurationError, match="not a folder"):
        Place(folder / "8750").make()


def test_a_path_too_long_for_a_socket_is_named() -> None:
    with pytest.raises(ConfigurationError, match="XDG_RUNTIME_DIR"):
        Place(Path("/tmp") / ("x" * 120)).path("http")


def test_the_run_folder_is_where_the_system_has_one_for_the_user(folder: Path) -> None:
    assert run_folder({"XDG_RUNTIME_DIR": str(folder)}) == folder / "concurrent"
    assert run_folder({"XDG_RUNTIME_DIR": "relative"}).name == f"concurrent-{os.getuid()}"
    assert run_folder({}).name == f"concurrent-{os.getuid()}"


def test_a_run_folder_of_another_user_or_with_a_long_path_is_not_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = f"concurrent-{os.getuid()}"
    long = folder / ("x" * 100)
    long.mkdir(mode=0o700)
    assert run_folder({"XDG_RUNTIME_DIR": str(long)}).name == own
    assert run_folder({"XDG_RUNTIME_DIR": str(folder / "none")}).name == own
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert run_folder({"XDG_RUNTIME_DIR": str(folder)}).name == "concurrent-12345"


@pytest.fixture
def squatted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where this user has a folder that another one has made."""
    (folder / "tmp").mkdir()
    (folder / "tmp" / f"concurrent-{os.getuid() + 1}").mkdir(mode=0o700)
    (folder / "run").mkdir()
    user = os.getuid() + 1
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))
    monkeypatch.setattr(place_module, "SYSTEM_FOLDERS", folder / "run")
    monkeypatch.setattr(os, "getuid", lambda: user)
    return folder / "tmp" / f"concurrent-{user}"


def test_a_start_says_who_has_taken_the_run_folder_and_what_to_do(squatted: Path) -> None:
    assert run_folder({}) == squatted
    text = rf"{squatted} cannot be used: it belongs to user .*\. Have user .* remove it, or set XDG_RUNTIME_DIR"
    with pytest.raises(ConfigurationError, match=text):
        Place(run_folder({}) / "8750").make()
    assert not Place(run_folder({}) / "8750").has("http")


def test_a_run_folder_that_another_user_has_taken_is_left_for_that_of_the_system(
    squatted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = place_module.SYSTEM_FOLDERS / str(os.getuid())
    system.mkdir(mode=0o700)
    assert run_folder({}) == squatted  # which is not this user's either
    monkeypatch.setattr(place_module, "_is_own", lambda base: base == system)
    assert run_folder({}) == system / "concurrent"
    squatted.rmdir()
    assert run_folder({}) == squatted


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_another_user_is_told_in_whose_folder_it_will_not_listen(folder: Path) -> None:
    user = 12345
    folder.chmod(0o755)
    (folder / f"concurrent-{user}").mkdir()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setuid(user)
            tempfile.tempdir = str(folder)
            with pytest.raises(ConfigurationError, match="it belongs to user root"):
                Place(run_folder({}) / "8750").make()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_who_has_no_home_is_told_where_keys_could_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(ConfigurationError, match=r"no home folder.*keys\.folder=FOLDER"):
        keys_base({})
    assert keys_base({"XDG_CONFIG_HOME": "/config"}) == Path("/config/concurrent/keys")


def test_keys_that_cannot_be_kept_name_the_option(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"file.*keys\.folder=FOLDER"):
        make_cluster(tmp_path / "file" / "keys")


def test_the_other_end_of_a_socket_is_this_user() -> None:
    one, other = socket.socketpair()
    with one, other:
        check_peer(one)


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the system does not say who is there")
def test_another_user_at_the_other_end_of_a_socket_is_refused() -> None:
    class Socket:
        """A Unix socket with a process of some user at its other end."""

        def __init__(self, user: int) -> None:
            self.user = user

        def getsockopt(self, level: int, option: int, size: int) -> bytes:
            assert (level, option, size) == (socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            return struct.pack("3i", 4711, self.user, 100)

    for user in (os.getuid(), 0):
        check_peer(cast(socket.socket, Socket(user)))
    with pytest.raises(NotAllowed, match=f"user {os.getuid() + 1} is at the other end"):
        check_peer(cast(socket.socket, Socket(os.getuid() + 1)))


def test_a_folder_of_another_user_is_no_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.getuid()
    place = Place(folder / "8750")
    place.make()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(place.path("http"))
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    assert not place.has("http")
    with pytest.raises(ConfigurationError, match=r"it belongs to user .* remove it"):
        place.make()


def test_folders_above_those_with_keys_are_for_this_user_alone_too(folder: Path) -> None:
    before = os.umask(0)
    try:
        private_folder(folder / "a" / "b" / "keys")
    finally:
        os.umask(before)
    for one in ("a", "a/b", "a/b/keys"):
        assert (folder / one).stat().st_mode & 0o777 == 0o700
