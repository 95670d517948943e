"""``concurrent keys`` and ``concurrent join`` as people type them, each machine with a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from concurrent.core.items import Host
from concurrent.transport.security.joinline import JoinLine
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.membership import Member
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.registrar import Registrar
from concurrent.transport.security.roles import Role
from concurrent.transport.security.tokens import Tokens
from tests.joinserver import JoinServer, registered

pytestmark = pytest.mark.system

Done = subprocess.CompletedProcess[str]
COMMAND = (sys.executable, "-m", "concurrent.apps.main")


class Machine:
    """Stands for a machine: it has key folders of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.base = folder / "concurrent" / "keys"

    def run(self, *arguments: object, code: int = 0, stdin: str = "") -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            env={**os.environ, "XDG_CONFIG_HOME": str(self.folder)},
            input=stdin, capture_output=True, text=True, timeout=60, check=False, cwd=self.folder,
        )  # fmt: skip
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        return done

    def fails(self, *arguments: object, code: int = 2) -> str:
        """Run a command that has to fail; return the only line that it says."""
        done = self.run(*arguments, code=code)
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith("concurrent: ")
        return line

    @property
    def keys(self) -> KeyFolder:
        (only,) = KeyFolder.all(self.base)
        return only

    def serve(self) -> JoinServer:
        return JoinServer(self.keys.tls(Role.MASTER).server, registered(Registrar(self.keys)))


@pytest.fixture
def master(tmp_path: Path) -> Machine:
    made = Machine(tmp_path / "master")
    make_cluster(made.base, "office-4kd2")
    return made


@pytest.fixture
def other(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "other")


def line_of(done: Done) -> str:
    """Return the line that was printed to join with: nothing else may stand beside it."""
    command, line = done.stdout.removesuffix("\n").rsplit(" ", 1)
    assert command == "concurrent join"
    return line


def test_keys_are_made_once_and_shown(other: Machine) -> None:
    said = other.run("keys", "init").stdout
    keys = other.keys
    assert f"cluster {keys.cluster}  fingerprint " in said
    assert str(keys.folder) in said
    assert f"has the keys of the cluster {keys.cluster} already" in other.fails("keys", "init")
    shown = other.run("keys", "show").stdout
    assert said.splitlines()[0] in shown
    fingerprint = json.loads(other.run("keys", "show", "--json").stdout)["fingerprint"]
    assert "that is the fingerprint" in other.run("keys", "show", fingerprint.lower()).stdout
    wrong = fingerprint[:-1] + ("A" if fingerprint[-1] != "A" else "B")
    assert "group 6" in other.fails("keys", "show", wrong)


def test_without_keys_a_person_is_told_what_to_type(other: Machine) -> None:
    for action in ("list", "show", "audit"):
        line = other.fails("keys", action)
        assert "concurrent keys init" in line
        assert "concurrent join LINE" in line
    assert "keys" in other.fails("keys", "list", "--cluster", "office-4kd2")


def test_an_invitation_is_one_line_and_hints_go_elsewhere(master: Machine) -> None:
    done = master.run("keys", "invite", "slave", "--uses", "3", "--ttl", "2h", "-o", "master.port=9000")
    line = JoinLine.parse(line_of(done))
    assert line.cluster == "office-4kd2"
    assert line.master.port == 9000
    assert f"no master listens at {line.master} now" in done.stderr
    assert "--host 0.0.0.0" in done.stderr
    assert "good for 3 machines and 2 h" in done.stderr
    assert line.secret not in done.stderr
    done = master.run("keys", "invite", "slave", "-o", "master.host=10.0.0.5")
    assert JoinLine.parse(line_of(done)).master == Host("10.0.0.5", 8750)
    assert "--host" not in done.stderr
    done = master.run("keys", "invite", "slave", "-o", "master.host=nowhere.invalid")
    assert "nowhere.invalid cannot be found by this name: say its address with --address" in done.stderr
    done = master.run("keys", "invite", "slave", "--address", "master.example.org:80")
    assert JoinLine.parse(line_of(done)).master == Host("master.example.org", 80)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["invite", "slav"], "did you mean slave?"),
        (["invite", "master"], "To move the master, end it, copy its key folder to the other machine"),
        (["token", "master"], "only the machine with ca.key knows whom to trust"),
        (["invite", "slave", "--ttl", "1"], "write 90s, 10m, 1h, 30d or 2w"),
        (["invite", "slave", "--ttl", "0h"], "is not a time"),
        (["token", "slave"], "is not one of observe, submit, admin"),
        ([], "usage: concurrent keys"),
    ],
)
def test_wrong_arguments_show_the_usage(master: Machine, arguments: list[str], says: str) -> None:
    done = master.run("keys", *arguments, code=2)
    assert done.stdout == ""
    assert says in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["invite", "slave", "--uses", "0"], "--uses 0"),
        (["invite", "slave", "--uses", "2", "--name", "rack"], "cannot all be called rack"),
        (["invite", "slave", "--name", "Rack 1"], "cannot be the name of a member"),
        (["invite", "slave", "--address", "a:b:c"], "is not an address"),
        (["invite", "slave", "--cluster", "office-4kd3"], "Did you mean office-4kd2?"),
        (["init", "--cluster", "Office"], "cannot be the name of a cluster"),
        (["revoke", "nobody"], "no member, token or invitation 'nobody'"),
        (["rotate"], "--yes"),
        (["audit", "nowhere.jsonl"], "no file nowhere.jsonl"),
    ],
)
def test_wrong_values_are_one_line_with_the_remedy(master: Machine, arguments: list[str], says: str) -> None:
    assert says in master.fails("keys", *arguments)


def test_the_configuration_says_where_keys_are_and_which_are_meant(master: Machine, other: Machine) -> None:
    options = ("-o", f"keys.folder={master.base}", "-o", "keys.cluster=office-4kd2")
    make_cluster(master.base, "garage-7hn3")
    assert "cluster office-4kd2" in other.run("keys", "show", *options).stdout
    other.run("keys", "init", "-o", f"keys.folder={other.folder / 'mine'}", "-o", "keys.cluster=shed")
    assert KeyFolder(other.folder / "mine" / "shed").is_authority


def test_of_several_clusters_one_has_to_be_named(master: Machine) -> None:
    make_cluster(master.base, "garage-7hn3")
    assert "garage-7hn3, office-4kd2. Say which with --cluster" in master.fails("keys", "list")
    assert " master " in master.run("keys", "list", "--cluster", "garage-7hn3").stdout


@pytest.mark.parametrize("way", ["argument", "whole", "input", "file"])
def test_a_machine_joins_with_the_line_however_it_is_given(master: Machine, other: Machine, way: str) -> None:
    with master.serve() as server:
        line = line_of(master.run("keys", "invite", "slave", "--address", server.host))
        (other.folder / "line").write_text(f"concurrent join {line}\n")
        argument = {"argument": line, "whole": f"concurrent join {line}", "input": "-", "file": "@line"}[way]
        done = other.run("join", argument, "--name", "rack", stdin=line if way == "input" else "")
    assert "joined the cluster office-4kd2 as slave rack" in done.stdout
    assert "next: concurrent slave" in done.stdout
    assert other.keys.masters == (server.host,)
    assert JoinLine.parse(line).secret not in done.stdout + done.stderr


def test_a_secret_is_seen_in_no_list_of_processes_while_it_is_used(master: Machine, other: Machine) -> None:
    seen: list[str] = []
    answer = registered(Registrar(master.keys))

    def look(header: str, body: bytes) -> tuple[int, bytes]:
        for process in psutil.Process().children(recursive=True):
            seen.extend([*process.cmdline(), *process.environ().values()])
        return answer(header, body)

    with JoinServer(master.keys.tls(Role.MASTER).server, look) as server:
        line = line_of(master.run("keys", "invite", "submit", "--address", server.host))
        other.run("join", line)
    assert "join" in seen
    assert not [text for text in seen if JoinLine.parse(line).secret in text]


def test_joining_fails_with_one_line(master: Machine, other: Machine) -> None:
    with master.serve() as server:
        line = line_of(master.run("keys", "invite", "slave", "--address", server.host))
        assert "cut short or mistyped" in other.fails("join", line.replace("office", "offices"))
        assert "not a line" in other.fails("join", "hello")
        assert "nowhere cannot be read" in other.fails("join", "@nowhere")
        other.run("join", line)
        assert "does not take the invitation" in other.fails("join", line, code=3)
    assert "need not join" in master.fails("join", line)
    assert "cannot be reached" in other.fails("join", line, code=3)
    assert "on the machine of its master" in other.fails("keys", "list")


def test_members_tokens_and_invitations_are_listed_and_revoked(master: Machine, other: Machine) -> None:
    with master.serve() as server:
        other.run(
            "join", line_of(master.run("keys", "invite", "slave", "--address", server.host)), "--name", "rack"
        )
    secret = JoinLine.parse(line_of(master.run("keys", "invite", "slave", "--ephemeral"))).secret
    token = master.run("keys", "token", "observe", "--ttl", "2w", "--name", "wall").stdout.strip()
    identity = Tokens(master.keys).identity_of(token)
    text = master.run("keys", "list").stdout
    assert [line.split()[0] for line in text.splitlines()[2:4]] == ["rack", "wall"]
    listed = json.loads(master.run("keys", "list", "--json").stdout)
    rows = [(one["kind"], one["role"]) for one in listed["items"]]
    assert rows[:3] == [("key", "master"), ("key", "slave"), ("token", "observe")]
    assert (listed["total"], listed["left_out"]) == (4, 0)
    invitation = listed["items"][-1]
    assert invitation["is_ephemeral"]
    assert secret not in text + json.dumps(listed)
    assert "Did you mean rack?" in master.fails("keys", "revoke", "rakc")
    for what, says in (
        ("rack", "slave rack"),
        (identity.serial, "token wall"),
        (invitation["id"], "invitation"),
    ):
        assert f"{says}" in master.run("keys", "revoke", what).stdout
    assert len(master.keys.revoked()) == 2
    assert "revoked already" in master.fails("keys", "revoke", "rack")
    assert "revoked just now" in master.run("keys", "list").stdout


def test_whose_trust_ended_long_ago_is_listed_only_with_all(master: Machine) -> None:
    day, now = 86400.0, time.time()
    with master.keys.changing() as membership:
        membership.members += [
            Member(Role.SLAVE, "old", "0a", now - 50 * day, revoked_at=now - 31 * day, why="revoked"),
            Member(Role.SLAVE, "recent", "0b", now - 50 * day, revoked_at=now - 29 * day, why="replaced"),
        ]
    shown = master.run("keys", "list")
    assert "replaced 29 days ago" in shown.stdout
    assert "old" not in shown.stdout
    assert "not shown: 1 whose trust ended more than 30 days ago" in shown.stderr
    everybody = master.run("keys", "list", "--all")
    assert "revoked 31 days ago" in everybody.stdout
    assert everybody.stderr == ""


def test_new_keys_end_all_trust(master: Machine) -> None:
    old = master.run("keys", "show").stdout.splitlines()[0]
    done = master.run("keys", "rotate", "--yes")
    assert done.stdout.splitlines()[0] != old
    assert "have ended" in done.stderr
    assert len(master.keys.revoked()) == 1


def test_damaged_keys_are_told_and_made_anew(master: Machine) -> None:
    master.keys.path("ca.key").chmod(0o644)
    assert "ca.key cannot be used: its mode is 0644" in master.fails("keys", "show")
    master.keys.path("ca.key").chmod(0o600)
    master.keys.path("members.json").unlink()
    line = master.fails("keys", "list")
    assert "members.json cannot be used: it is missing" in line
    assert "concurrent keys rotate" in line
    master.run("keys", "rotate", "--yes")
    master.run("keys", "list")


def test_what_was_done_with_keys_is_kept_and_a_change_of_it_is_found(master: Machine) -> None:
    secret = JoinLine.parse(line_of(master.run("keys", "invite", "slave", "--name", "rack"))).secret
    token = master.run("keys", "token", "observe", "--name", "wall").stdout.strip()
    master.run("keys", "revoke", "wall")
    done = master.run("keys", "audit")
    assert [line.split()[4] for line in done.stdout.splitlines()] == ["invite", "token", "revoke"]
    assert "3 lines, none changed" in done.stderr
    path = master.keys.audit_path
    assert secret not in path.read_text()
    assert token not in path.read_text()
    path.write_text(path.read_text().replace("rack", "cell"))
    done = master.run("keys", "audit", path, code=1)
    assert "audit.jsonl:2: the line before it is another one than when it was written" in done.stderr
