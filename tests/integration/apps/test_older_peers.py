"""Masters and slaves that are older than others: they get no task whose limits and tries they cannot keep."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.apps import MasterNode
from concurrent.apps.opensystems import OpenSystems
from concurrent.core.errors import SchedulingError
from concurrent.scheduling.owner.results import Outcome, load_outcome
from concurrent.scheduling.tasks.options import Options
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.terms import Terms
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.apps.peers import MakePeer, Peer
from tests.integration.apps.taskowner import Owner

BOTH = pytest.mark.parametrize("master", ["GenericTaskScheduler", "ZMQTaskScheduler"], indirect=True)
NEWER = {"keeps": "options"}


class Step(Task):
    """What the task system of this module pushes."""


class Walk:
    """Stands in for a task system."""


@pytest.fixture
def owner(loop: NodeLoop) -> Owner:
    return Owner(loop)


def pushed(owner: Owner, *terms: Terms) -> None:
    for one in terms:
        owner.client.push(one.name, (len, ("x",), {}), one)
    owner.settle()


def error_of(owner: Owner, outcome: Outcome) -> BaseException | None:
    assert outcome.status == FAILED
    return load_outcome(owner.client.code, outcome)[1]


@pytest.mark.parametrize("features", [("terms",), ()])
def test_what_an_older_master_would_not_keep_fails_and_the_rest_is_pushed(
    owner: Owner, features: tuple[str, ...]
) -> None:
    owner.features = features
    session = owner.attach()
    plain, limited = Terms(name="plain"), Terms(name="limited", timeout_s=5.0)
    resourceful = Terms(name="resourceful", retry=3, resources={"gpu": 1})  # type: ignore[arg-type]
    pushed(owner, plain, plain, limited, Terms(name="urgent", priority=5), resourceful, plain)
    assert session.pushed_ids() == [1, 2, 4, 6]
    assert owner.items() == ["limited", "resourceful"]
    errors = [error_of(owner, outcome) for outcome in owner.outcomes]
    assert all(isinstance(error, SchedulingError) and error.remedy for error in errors)
    assert "knows no timeout_s" in str(errors[0])
    assert "knows no retry, resources" in str(errors[1])


def test_a_master_that_knows_them_is_given_all(owner: Owner) -> None:
    pushed(owner, Terms(name="limited", timeout_s=5.0), Terms(name="again", retry=3))  # type: ignore[arg-type]
    assert owner.attach().pushed_ids() == [1, 2]
    assert not owner.outcomes


@pytest.mark.parametrize(("features", "said"), [(("terms",), ([1],)), (("terms", "options"), ([1], 2.0))])
def test_a_grace_is_told_to_whom_it_means_something(
    owner: Owner, features: tuple[str, ...], said: tuple[Any, ...]
) -> None:
    owner.features = features
    owner.push("a")
    session = owner.attach()
    owner.client.cancel([1], 2.0)
    owner.settle()
    assert session.casts[-1] == ("cancel", *said)


@pytest.mark.parametrize("features", [("terms",), ("terms", "options")])
def test_a_task_system_whose_tasks_are_to_keep_something_is_not_pushed_to_an_older_master(
    owner: Owner, loop: NodeLoop, features: tuple[str, ...]
) -> None:
    owner.features = features
    outcomes: list[Outcome] = []
    systems = OpenSystems(loop, owner.client, on_accepted=None, on_progress=None, on_outcome=outcomes.append)
    session = owner.attach()
    owner.on_loop(lambda: systems.attach(session, has_none=True))  # type: ignore[arg-type]
    systems.push("plain")
    systems.push("careful", Options(retry=3))
    owner.settle()
    is_older = "options" not in features
    hosted = [cast[1] for cast in session.casts if cast[0] == "push_tasksystem"]
    assert hosted == ([1] if is_older else [1, 2])
    assert [outcome.item for outcome in outcomes] == (["careful"] if is_older else [])
    if is_older:
        assert "knows no retry" in str(error_of(owner, outcomes[0]))


def test_nor_is_a_task_system_beside_which_classes_of_tasks_ask_for_something(
    owner: Owner, loop: NodeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.features = ("terms",)
    outcomes: list[Outcome] = []
    systems = OpenSystems(loop, owner.client, on_accepted=None, on_progress=None, on_outcome=outcomes.append)
    session = owner.attach()
    owner.on_loop(lambda: systems.attach(session, has_none=True))  # type: ignore[arg-type]
    systems.push(Walk())
    owner.settle()
    assert [cast[1] for cast in session.casts if cast[0] == "push_tasksystem"] == [1]
    monkeypatch.setattr(Step, "timeout_s", 5.0)
    systems.push(Walk())
    owner.settle()
    (refused,) = outcomes
    assert "knows no timeout_s" in str(error_of(owner, refused))


def work(slave: Peer, done: dict[bytes, str]) -> None:
    """Do what was sent, and note who did it."""
    for name, *args in slave.heard():
        if name == "run":
            numbers, payloads = args[2:4]
            done.update(dict.fromkeys(map(bytes, payloads), slave.node_id))
            slave.call("done", numbers, [FINISHED] * len(numbers), payloads, 0.1)


@BOTH
def test_an_older_slave_gets_only_what_it_can_keep(master: MasterNode, peer: MakePeer) -> None:
    owner, older, newer = peer("application-1"), peer("slave-older"), peer("slave-newer", more=NEWER)
    owner.join("application")
    older.join("slave", workers=2, window=4)
    newer.join("slave", workers=2, window=4)
    terms = [[0, {"timeout_s": 9.0}], [4, {"retry": {"times": 2}}], [8, {"priority": 5}], [12, {}]]
    owner.call("push_tasks", 1, 0, terms, [b"%d" % one for one in range(20)])
    done: dict[bytes, str] = {}
    while len(done) < 20:
        for slave in (older, newer):
            slave.call("pull", 4)
            work(slave, done)
    assert {done[b"%d" % one] for one in range(8)} == {"slave-newer"}
    assert "slave-older" in done.values()


@BOTH
def test_what_only_older_slaves_could_have_waits_and_its_owner_is_told(
    master: MasterNode, peer: MakePeer
) -> None:
    owner, older = peer("application-1"), peer("slave-older")
    owner.join("application")
    older.join("slave", workers=2, window=4)
    older.call("pull", 4)
    owner.call("push_tasks", 1, 0, [[0, {"timeout_s": 9.0}]], [b"x"])
    assert "refused" in owner.next("notice")[0]
    assert "run" not in [name for name, *_ in older.heard()]
    newer = peer("slave-newer", more=NEWER)
    newer.join("slave", workers=2, window=4)
    newer.call("pull", 4)
    assert newer.next("run")[3:] == ([b"x"], {"timeout_s": 9.0})


@BOTH
def test_an_older_slave_that_wants_nothing_keeps_nobody_from_what_it_could_not_keep(
    master: MasterNode, peer: MakePeer
) -> None:
    owner, older, newer = peer("application-1"), peer("slave-older"), peer("slave-newer", more=NEWER)
    owner.join("application")
    older.join("slave", workers=2, window=4)
    older.call("set_window", 0)
    newer.join("slave", workers=2, window=4)
    owner.call("push_tasks", 1, 0, [[0, {"timeout_s": 9.0}]], [b"x"])
    newer.call("pull", 4)
    assert newer.next("run")[3:] == ([b"x"], {"timeout_s": 9.0})
