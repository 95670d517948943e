"""The pages for people: what they show, that all of it is escaped, and that they are well-formed."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from concurrent.apps.pages import render_page, render_problem
from concurrent.apps.status import Ping, status_from_json

EVIL = "<script>alert(1)</script>\"'&"
VOID = {"meta", "br"}
NOW = 1_000_000.0
RUN = {
    "task": 71, "name": "Cube", "owner": "application-b", "id": 3, "slave": "slave-a", "worker": 4711,
    "run_s": 12.0, "note": "its process is stopped",
}  # fmt: skip
WAIT = {
    "count": 5000, "name": "train", "owner": "hunt", "age_s": 12.0, "waits_for": "free gpu",
    "because": "gpu: needs 1, too little is free at slave-a: 2 of 2 taken",
}  # fmt: skip
OWNER = {
    "number": 2, "name": "application-b", "queued": 7, "open": 9, "finished": 27, "failed": 33, "cancelled": 44,
}  # fmt: skip


class Page(HTMLParser):
    """Checks that elements are nested, and collects texts and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


def node(**fields: Any) -> dict[str, Any]:
    return {
        "node_id": "slave-a", "type": "slave", "ip": "10.0.0.7", "port": 8751, "state": "joined", "number": 1,
        "since": NOW - 90, "reason": "", "data": {}, **fields,
    }  # fmt: skip


def master(**fields: Any) -> dict[str, Any]:
    tasks = {
        "accepted": 12345, "queued": 7, "open": 9, "open_bytes": 2048, "workers": 4, "stored_bytes": 0,
        "slave_count": 1,
        "owner_count": 1,
        "slaves": [
            {"number": 1, "workers": 4, "held": 2, "done": 99, "failed": 55, "workers_died": 0, "task_s": 0.25}
        ],
        "owners": [OWNER],
        "running": [RUN],
        "waiting": [WAIT],
        "running_count": 5000,
    }  # fmt: skip
    return {
        "node_id": "master-m", "type": "master", "version": "1", "pid": 5, "started_at": NOW - 7200,
        "channel": "zmq", "compute_port": 4000, "scheduler": "GenericTaskScheduler", "tasks": tasks,
        "systems": [], "system_count": 0, "nodes": [node()], "node_count": 1, **fields,
    }  # fmt: skip


def slave(**workers: Any) -> dict[str, Any]:
    return {
        "node_id": "slave-a", "type": "slave", "version": "1", "pid": 5, "started_at": NOW,
        "master": "10.0.0.1:8750", "state": "joined", "workers": workers,
    }  # fmt: skip


def application(**fields: Any) -> dict[str, Any]:
    return {
        "node_id": "application-b", "type": "application", "version": "1", "pid": 5, "started_at": NOW,
        "application": "Squares", "state": "joined", "pushed": 40, "finished": 10, "failed": 4, "open": 30,
        "progress": None, "task_systems": 0, **fields,
    }  # fmt: skip


def page_of(status: dict[str, Any], title: str = "A node") -> Page:
    return Page(render_page(title, status_from_json(status), NOW))


def test_a_master_shows_its_tasks_slaves_and_owners() -> None:
    page = page_of(master())
    for text in (
        "12,345",
        "2.0 KiB",
        "slave-a",
        "250 ms",
        "joined for 90.0 s",
        "application-b",
        "27",
        "33",
        "44",
        "55",
    ):
        assert text in page.texts
    assert ("href", "http://10.0.0.7:8751/") in page.attributes
    assert ("max", "113") in page.attributes
    assert any("up for 2 h 0 min" in text for text in page.texts)


def test_links_to_other_machines_are_encrypted_where_nodes_are() -> None:
    keys = "the keys of cluster office"
    nodes = [{**one, "ip": "127.0.0.1"} for one in master()["nodes"][:1]]
    assert ("href", "https://10.0.0.7:8751/") in page_of(master(protected_by=keys)).attributes
    assert ("href", "http://127.0.0.1:8751/") in page_of(master(protected_by=keys, nodes=nodes)).attributes
    assert ("href", "http://10.0.0.7:8751/") in page_of(master(protected_by="nothing")).attributes


def test_a_master_shows_its_task_systems_and_who_has_left() -> None:
    systems = [{"system_id": 3, "application": "application-b", "pid": 77, "owner": 4}]
    gone = node(node_id="slave-old", state="gone", reason="it stops")
    texts = page_of(master(systems=systems, nodes=[node(), gone])).texts
    assert {"Task systems", "77", "slave-old", "it stops"} <= set(texts)


def test_a_master_without_slaves_says_that_tasks_wait() -> None:
    tasks = {**master()["tasks"], "slaves": [], "slave_count": 0}
    assert "No slave has joined: tasks wait." in page_of(master(nodes=[], tasks=tasks)).texts


def test_a_slave_that_has_only_registered_is_none_that_has_joined() -> None:
    tasks = {**master()["tasks"], "slaves": [], "slave_count": 0}
    texts = page_of(master(nodes=[node(state="registered", number=0)], tasks=tasks)).texts
    assert {"slave-a", "No slave has joined: tasks wait."} <= set(texts)


def test_nodes_that_were_refused_are_shown_with_the_reason() -> None:
    refused = node(state="refused", reason="runs Python 3.99.0")
    assert "runs Python 3.99.0" in page_of(master(nodes=[refused])).texts


def test_a_loopback_address_is_linked_only_for_who_is_on_the_same_machine() -> None:
    status = status_from_json(master(nodes=[node(ip="127.0.0.1", port=8751), node(ip="10.0.0.7", port=8752)]))
    assert 'href="http://127.0.0.1:8751/"' in render_page("t", status, NOW)
    page = render_page("t", status, NOW, is_local=False)
    assert "127.0.0.1:8751" not in page
    assert 'href="http://10.0.0.7:8752/"' in page


def test_a_node_of_an_ipv6_address_is_linked_and_one_without_a_port_is_not() -> None:
    attributes = page_of(master(nodes=[node(ip="::1"), node(port=0), node(port="8751")])).attributes
    links = [value for name, value in attributes if name == "href" and "8751" in str(value)]
    assert links == ["http://[::1]:8751/"]


def test_a_long_table_ends_with_how_many_more_there_are() -> None:
    tasks = {**master()["tasks"], "slave_count": 1300}
    page = page_of(master(nodes=[node()] * 100, tasks=tasks, node_count=1300))
    assert "1,200 more are not shown." in page.texts
    page = page_of(master(nodes=[node()] * 130))
    assert "30 more are not shown." in page.texts


def test_a_slave_shows_its_workers() -> None:
    status = slave(
        size=2,
        idle=1,
        running={41: None, 42: 6},
        tasks=[{"task": 6, "worker": 42, "run_s": 7.0, "note": "its process is stopped"}],
        waiting=3,
        deaths=1,
        done=8,
        window=12,
        task_s=2.5,
    )
    texts = page_of(status).texts
    assert {"41", "idle", "42", "task 6", "7.0 s", "its process is stopped", "12", "2.5 s"} <= set(texts)


def test_a_master_shows_which_tasks_run_where_and_what_is_unusual() -> None:
    page = page_of(master())
    for text in ("Waiting for a while", "5,000", "train", "free gpu", WAIT["because"]):
        assert text in page.texts
    for text in ("71, application-b's 3", "Cube", "slave-a", "4711", "12.0 s", "its process is stopped"):
        assert text in page.texts
    assert "4,999 more are not shown." in page.texts


def test_a_slave_that_has_not_joined_yet_has_a_page_too() -> None:
    assert "10.0.0.1:8750" in page_of(slave()).texts


@pytest.mark.parametrize(("progress", "text"), [(None, "10 of 40"), ((3, 4), "3 of 4")])
def test_an_application_shows_how_far_it_is(progress: tuple[int, int] | None, text: str) -> None:
    assert text in page_of(application(progress=progress)).texts


def test_an_application_shows_how_many_of_its_tasks_failed() -> None:
    texts = page_of(application(failed=6)).texts
    assert texts[texts.index("of them failed") + 1] == "6"


def test_an_application_that_has_pushed_nothing_has_no_bar() -> None:
    assert "progress" not in page_of(application(pushed=0, finished=0)).tags


def test_a_node_that_does_not_answer_says_so() -> None:
    ping = Ping(node_id="master-m", type="master", version="1", pid=5)
    texts = Page(render_problem("A node", ping, "held <up>")).texts
    assert {"held <up>", "master-m, process 5, version 1"} <= set(texts)


@pytest.mark.parametrize("type_name", ["master", "slave", "application"])
def test_nothing_that_a_peer_chose_becomes_markup(type_name: str) -> None:
    evil_node = node(node_id=EVIL, ip=EVIL, reason=EVIL, state=EVIL)
    gone = node(node_id=EVIL, ip=EVIL, reason=EVIL, state="gone", type=EVIL)
    owner = {**OWNER, "name": EVIL}
    statuses = {
        "master": master(
            nodes=[evil_node, gone],
            tasks={
                **master()["tasks"],
                "owners": [owner],
                "running": [{**RUN, "owner": EVIL, "slave": EVIL, "note": EVIL}],
                "waiting": [{**WAIT, "owner": EVIL, "name": EVIL, "because": EVIL}],
            },
            systems=[{"system_id": EVIL, "application": EVIL, "pid": 1, "owner": 1}],
        ),
        "slave": {**slave(), "master": EVIL, "state": EVIL},
        "application": application(application=EVIL, state=EVIL),
    }
    text = render_page(EVIL, status_from_json(statuses[type_name]), NOW)
    page = Page(text)
    assert "script" not in page.tags
    assert EVIL not in text
    assert EVIL in page.texts
    assert not any(name.startswith("on") for name, _ in page.attributes)


def test_no_scripts_and_nothing_from_elsewhere() -> None:
    page = page_of(master())
    assert not page.tags & {"script", "link", "img", "iframe", "form"}
    assert ("http-equiv", "refresh") in page.attributes


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (128 << 20, "128.0 MiB"), (5000 << 40, "5000.0 TiB")],
)
def test_sizes_have_a_unit_that_fits(size_bytes: int, text: str) -> None:
    assert text in page_of(master(tasks={**master()["tasks"], "open_bytes": size_bytes})).texts


@pytest.mark.parametrize(
    ("age_s", "text"),
    [(0.5, "500 ms"), (119, "119.0 s"), (120, "2 min"), (90_000, "25 h 0 min"), (864_000, "10 days")],
)
def test_times_have_a_unit_that_fits(age_s: float, text: str) -> None:
    texts = page_of(master(started_at=NOW - age_s)).texts
    assert any(one.endswith(f"up for {text}") for one in texts)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (application(waits_for="a cluster with 2 workers"), "It waits: a cluster with 2 workers"),
        ({**slave(), "waits_for": "cannot register <x>"}, "It waits: cannot register <x>"),
        (
            master(tasks={**master()["tasks"], "held_because": "the disk is full"}),
            "No more tasks are accepted for now: the disk is full",
        ),
    ],
)
def test_what_a_node_waits_for_is_on_its_page(status: dict[str, Any], line: str) -> None:
    assert line in page_of(status).texts


def test_an_application_shows_its_own_count_and_those_of_its_task_systems() -> None:
    counts = {"squares": (3, 4), "sums": (5, 6)}
    texts = page_of(application(progress=(3, 4), progress_of=counts)).texts
    assert {"squares: 3 of 4", "sums: 5 of 6"} <= set(texts)


def test_the_program_and_user_of_an_application_are_shown_as_text() -> None:
    data = {"application": "Squares\x1b[2J<b>", "user": "ann"}
    page = page_of(master(nodes=[node(node_id="application-c", type="application", state="gone", data=data)]))
    assert "Squares?[2J<b> of ann: application-c" in page.texts
