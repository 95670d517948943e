"""A node has one client of its master's compute channel, and another one when that is elsewhere."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.apps import masterclient
from concurrent.apps.masterclient import MasterClient, Reach, reach_of
from concurrent.core.errors import WrongServer
from concurrent.core.stats import Stats
from concurrent.transport.security.identity import ANYBODY, Identity
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import CurveKeys, Protection, TLSKeys
from concurrent.transport.security.roles import Role
from concurrent.transport.session.limits import Limits

HERE = Reach("tcp", 4711, "GenericTaskManager")
ANSWER = {
    "master": "master-1",
    "channel": "tcp",
    "port": 4711,
    "manager": "GenericTaskManager",
    "work": {"kind": "x"},
}


KEYS = CurveKeys(b"p" * 40, b"s" * 40)
CURVE = HERE._replace(channel="zmq", curve=b"m" * 40, encrypted="zmq")
IN_TLS = Protection(tls=TLSKeys("office", ANYBODY, None, None))  # type: ignore[arg-type]


class Client:
    """A client that connects to nothing."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.reach = args[0], args[3]
        self.protection: Protection | None = options["protection"]
        self.on_open: Any = None
        self.on_cut: Any = None
        self.on_lost: Any = None
        self.farewell = ""
        self.is_started = False
        self.stopped = threading.Event()

    def start(self) -> None:
        self.is_started = True

    def stop(self, timeout_s: float) -> None:
        self.stopped.set()


def carriers_named(_components: Any, channel: str) -> Any:
    return SimpleNamespace(make_client=partial(Client, channel), new_keys=lambda: KEYS)


class Owner:
    """What a link gives its client."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, protection: Protection | None = None) -> None:
        monkeypatch.setattr(masterclient, "carriers_named", carriers_named)
        self.events: list[str] = []
        self.fails = False
        self.client = MasterClient(
            None,  # type: ignore[arg-type]
            "127.0.0.1",
            "slave-1",
            register_methods=self.register,
            on_open=lambda: self.events.append("open"),
            on_cut=lambda: self.events.append("cut"),
            on_lost=self.events.append,
            stats=Stats(),
            limits=Limits(),
            components=None,  # type: ignore[arg-type]
            protection=protection,
        )

    def register(self, client: Any) -> None:
        if self.fails:
            raise RuntimeError("a bug of a plug-in")
        self.events.append("registered")

    def connect(self, reach: Reach = HERE) -> Any:
        self.client.connect(reach)
        return self.client.current


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> Owner:
    return Owner(monkeypatch)


def test_the_same_place_needs_no_other_client(owner: Owner) -> None:
    first = owner.connect()
    assert (first.reach, first.is_started) == (("tcp", 4711), True)
    assert owner.client.connect(HERE) is False
    assert owner.client.current is first
    assert owner.events == ["registered"]


def test_another_place_gets_another_client_and_nothing_more_is_heard_of_the_first(owner: Owner) -> None:
    first = owner.connect()
    second = owner.connect(HERE._replace(manager="ZMQTaskManager"))
    assert second is not first
    assert first.stopped.wait(20.0)
    assert first.on_open is first.on_cut is first.on_lost is None
    second.on_open("handler", True)
    second.on_lost("handler", "cut")
    assert owner.events[-2:] == ["open", "cut"]


def test_a_client_whose_methods_cannot_be_registered_is_none(owner: Owner) -> None:
    owner.fails = True
    with pytest.raises(RuntimeError):
        owner.connect()
    assert owner.client.current is None
    owner.fails = False
    assert owner.connect().is_started


def test_it_says_goodbye_and_waits_for_those_it_had_before(owner: Owner) -> None:
    owner.client.stop(1.0, "nothing to do")
    first = owner.connect()
    second = owner.connect(HERE._replace(port=4712))
    owner.client.stop(1.0, "exit code 0")
    assert second.farewell == "exit code 0"
    assert first.stopped.is_set()
    assert second.stopped.is_set()


def test_an_answer_says_where_to_go() -> None:
    assert reach_of(ANSWER) == HERE


@pytest.mark.parametrize("key", list(ANSWER))
def test_an_answer_that_lacks_something_is_no_masters(key: str) -> None:
    with pytest.raises(WrongServer, match="not that of a master"):
        reach_of({name: value for name, value in ANSWER.items() if name != key})


def test_keys_are_made_once_when_the_channel_needs_some_and_told_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = Owner(monkeypatch, IN_TLS)
    assert owner.client.makes_keys(HERE) is False
    assert owner.client.keys == {}
    assert owner.client.makes_keys(CURVE) is True
    assert owner.client.keys == {"curve": "p" * 40}
    assert owner.client.makes_keys(CURVE) is False
    protection = owner.connect(CURVE).protection
    assert (protection.curve, protection.master_curve) == (KEYS, b"m" * 40)


def test_the_next_master_has_another_key_and_so_another_client(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = Owner(monkeypatch, IN_TLS)
    owner.client.makes_keys(CURVE)
    first = owner.connect(CURVE)
    second = owner.connect(CURVE._replace(curve=b"n" * 40))
    assert second is not first
    assert second.protection.master_curve == b"n" * 40


def test_no_keys_are_made_where_the_master_has_a_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = Place(tmp_path / "run" / "1")
    owner = Owner(monkeypatch, replace(IN_TLS, place=place))
    place.make()
    with place.listen("compute"):
        assert owner.client.makes_keys(CURVE) is False
    Path(place.path("compute")).unlink()
    assert owner.client.makes_keys(CURVE) is True


def test_a_work_queue_may_have_a_key_though_the_channel_has_none() -> None:
    work = {"kind": "zmq", "port": 1, "curve": "w" * 40}
    assert reach_of({**ANSWER, "work": work}) == HERE._replace(curve=b"w" * 40, encrypted="zmq")
    both = reach_of({**ANSWER, "channel": "zmq", "curve": "w" * 40, "work": work})
    assert both == HERE._replace(channel="zmq", curve=b"w" * 40, encrypted="zmq")


def test_of_a_channel_in_curve_the_master_is_who_has_told_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    head = Identity(Role.MASTER, "head", "office", "0a")
    told = {**ANSWER, "channel": "zmq", "curve": "m" * 40, "work": {"kind": "zmq"}}
    assert reach_of(ANSWER, head) == HERE  # TLS finds that out by itself
    owner = Owner(monkeypatch, IN_TLS)
    owner.client.makes_keys(CURVE)
    assert owner.connect(reach_of(told, head)).protection.master == head


@pytest.mark.parametrize("curve", ["m" * 39, "m" * 41, "'" * 40, 5, None])
def test_an_answer_with_a_key_that_is_none_is_no_masters(curve: Any) -> None:
    if curve is None:
        assert reach_of({**ANSWER, "curve": curve}).curve == b""
        return
    with pytest.raises(WrongServer, match="not that of a master"):
        reach_of({**ANSWER, "curve": curve})
