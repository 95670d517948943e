"""What programs use, on its way from them to slaves, and what slaves lack, on its way back to people."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps import MasterNode
from concurrent.apps.columns import lines_of_nodes
from concurrent.apps.commands.output import Screen
from concurrent.apps.commands.status import describe_master
from concurrent.apps.status import MasterStatus
from concurrent.core import Environment
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.apps.peers import MakePeer, Peer
from tests.integration.apps.taskowner import Owner

GRID = [["grid_tools", "Grid-Tools", "2.1.0"]]
NEWER = {"uses": "uses", "spared": "uses"}


def test_what_a_slave_lacks_reaches_the_program_the_status_and_an_explanation(
    peer: MakePeer, master: MasterNode
) -> None:
    owner, slave = peer("application-1"), peer("slave-1", more=NEWER)
    number = owner.join("application")
    owner.call("uses", GRID)
    slave.join("slave", workers=1, window=0, name="garage")
    assert slave.next("uses") == (number, GRID, "warn")
    slave.call("fits", number, ["grid_tools"], [["numpy\x1b", "1.26.0", "2.1.0"]])
    words = "lacks grid_tools; has numpy? 1.26.0 where the program has 2.1.0"
    (said,) = owner.next("notice")
    assert said.replace("numpy\ufffd", "numpy?") == f"slave garage {words}; there is no other slave"
    owner.call("push_tasks", 1, 0, 1, [b"task"])
    assert "slave-1 lacks grid_tools" in "\n".join(owner.call("explain", 1)["because"])
    status = MasterStatus.from_json(master.snapshot())
    (line,) = [one for one in lines_of_nodes(status, 0.0) if one.slave is not None]
    assert "lacks grid_tools" in line.state
    assert "  slave-1 lacks grid_tools" in describe_master(status, Screen(io.StringIO()))


@pytest.fixture
def avoiding(loop: NodeLoop) -> Any:
    options = {"master.port": "0", "transport.channel": "tcp", "scheduling.lacking": "avoid"}
    node = Environment(overrides=options, variables={})[MasterNode]
    node.start()
    peers: list[Peer] = []

    def make(node_id: str) -> Peer:
        peers.append(Peer(loop, node, node_id, more=NEWER))
        return peers[-1]

    yield make
    for one in peers:
        one.client.stop()
    node.stop()


def test_what_a_spared_slave_hands_back_goes_to_the_one_that_has_all(avoiding: MakePeer) -> None:
    owner, short = avoiding("application-1"), avoiding("slave-short")
    number = owner.join("application")
    short.join("slave", workers=1, window=5)
    owner.call("uses", GRID)
    owner.call("push_tasks", 1, 0, 1, [b"task"])
    assert short.next("uses") == (number, GRID, "avoid")
    _, _, numbers, payloads = short.next("run")  # which a slave keeps until it hears more
    short.call("fits", number, ["grid_tools"], [])
    assert short.next("spared") == (number, "")
    full = avoiding("slave-full")
    full.join("slave", workers=1, window=5)
    assert full.next("uses") == (number, GRID, "avoid")
    full.call("fits", number, [], [])
    assert short.next("spared") == (number, "slave-full")
    short.call("returned", numbers)
    assert full.next("run")[2:] == (numbers, payloads)
    full.call("done", numbers, [FINISHED], [b"result"], 0.1)
    assert owner.next("finished")[0] == [1]


def test_a_slave_that_wants_no_tasks_spares_no_other_one(avoiding: MakePeer) -> None:
    owner, short, full = avoiding("application-1"), avoiding("slave-short"), avoiding("slave-full")
    number = owner.join("application")
    short.join("slave", workers=1, window=5)
    full.join("slave", workers=1, window=5)
    owner.call("uses", GRID)
    full.call("fits", number, [], [])
    short.call("fits", number, ["grid_tools"], [])
    for window, by in ((5, "slave-full"), (0, ""), (3, "slave-full")):
        full.call("set_window", window)
        assert short.next("spared") == (number, by)


def test_a_program_tells_what_it_uses_before_its_code_and_again_in_each_session(
    loop: NodeLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bare_tools.py").write_text("def solve(x): return x")
    monkeypatch.syspath_prepend(str(tmp_path))
    owner = Owner(loop)
    try:
        import bare_tools  # type: ignore[import-not-found]

        owner.features = ("terms", "uses")
        owner.client.push("a", (bare_tools.solve, (1,), {}))
        for _ in range(2):
            session = owner.attach()
            owner.settle()
            names = [cast[0] for cast in session.casts]
            told = [use for cast in session.casts if cast[0] == "uses" for use in cast[1]]
            assert ["bare_tools", "", ""] in told
            assert names.index("uses") < names.index("push_tasks")
            owner.on_loop(owner.client.detach)
    finally:
        sys.modules.pop("bare_tools", None)


def test_words_that_make_no_sense_are_refused_and_the_session_goes_on(peer: MakePeer) -> None:
    owner, slave = peer("application-1"), peer("slave-1", more=NEWER)
    number = owner.join("application")
    slave.join("slave", workers=1, window=5)
    wrong: list[list[Any]] = [["a"], [1, 2, 3], [b"a", b"b", b"c"], [["a"], {}, ""], ["a", None, ""]]
    for row in wrong:
        with pytest.raises(Exception, match="modules must be rows of three texts"):
            owner.call("uses", [row])
        with pytest.raises(Exception, match="others must be rows of three texts"):
            slave.call("fits", number, [], [row])
    with pytest.raises(Exception, match="without a dot"):  # to look for it a slave would import its package
        owner.call("uses", [["unittest.__main__.x", "", ""]])
    with pytest.raises(Exception, match="has not joined as slave"):
        owner.call("fits", number, [], [])
    assert slave.call("count_workers") == 1
    assert not owner.heard()
