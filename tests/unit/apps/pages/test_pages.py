"""The pages for people: what they show of a status; all of it is escaped, and they are well-formed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps.nodeviews import PATHS
from concurrent.apps.pages import desk
from concurrent.apps.pages.desk import PageDesk
from concurrent.apps.status import Ping
from concurrent.core.errors import CallTimeout
from tests.unit.apps.pages.seeing import EVIL, NOTHING, NOW, Page, Service, html_of, page_of

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


@pytest.fixture(autouse=True)
def _at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.time, "time", lambda: NOW)


def test_a_master_shows_itself_and_whose_tasks_it_has() -> None:
    page = page_of(master())
    assert {"12,345", "2.0 KiB", "application-b", "27", "33", "44"} <= set(page.texts)
    assert ("aria-label", "104 of 113") in page.attributes
    assert any("up for 2 h 0 min" in text for text in page.texts)


def test_links_to_other_machines_are_encrypted_where_nodes_are() -> None:
    keys = "the keys of cluster office"
    far = node(node_id="application-b", type="application", number=2)
    for status, url in (
        (master(protected_by=keys, nodes=[far]), "https://10.0.0.7:8751/"),
        (master(protected_by=keys, nodes=[{**far, "ip": "127.0.0.1"}]), "http://127.0.0.1:8751/"),
        (master(protected_by="nothing", nodes=[far]), "http://10.0.0.7:8751/"),
    ):
        assert ("href", url) in page_of(status).attributes


def test_a_master_shows_its_task_systems_and_who_has_left() -> None:
    systems = [{"system_id": 3, "application": "application-b", "pid": 77, "owner": 4}]
    gone = node(node_id="slave-old", state="gone", reason="it stops")
    status = master(systems=systems, nodes=[node(), gone])
    assert {"Task systems", "77"} <= set(page_of(status).texts)
    assert {"slave-old", "it stops"} <= set(page_of(status, "/workers").texts)


def test_a_master_without_slaves_says_so() -> None:
    assert "No slave has joined: tasks wait." in page_of(master(nodes=[]), "/workers").texts


def test_a_slave_that_has_only_registered_is_none_that_has_joined() -> None:
    texts = page_of(master(nodes=[node(state="registered", number=0)]), "/workers").texts
    assert {"1 more have registered and not joined yet.", "No slave has joined: tasks wait."} <= set(texts)


def test_nodes_that_were_refused_are_shown_with_the_reason() -> None:
    refused = node(state="refused", reason="runs Python 3.99.0")
    assert "runs Python 3.99.0" in page_of(master(nodes=[refused]), "/workers").texts


def test_a_loopback_address_is_linked_only_for_who_is_on_the_same_machine() -> None:
    owners = [{**OWNER, "number": number, "name": f"application-{number}"} for number in (2, 3)]
    status = master(
        nodes=[
            node(node_id="application-2", type="application", ip="127.0.0.1", port=8751, number=2),
            node(node_id="application-3", type="application", ip="10.0.0.7", port=8752, number=3),
        ],
        tasks={**master()["tasks"], "owners": owners},
    )
    assert 'href="http://127.0.0.1:8751/"' in html_of(status)
    page = html_of(status, service=Service(NOTHING, client_ip="10.0.0.9"))
    assert "127.0.0.1:8751" not in page
    assert 'href="http://10.0.0.7:8752/"' in page


@pytest.mark.parametrize(
    ("address", "url"),
    [({"ip": "fd00::1"}, "http://[fd00::1]:8751/"), ({"port": 0}, None), ({"port": "8751"}, None)],
)
def test_a_node_without_a_port_is_not_linked(address: dict[str, Any], url: str | None) -> None:
    owner = node(node_id="application-b", type="application", number=2, **address)
    attributes = page_of(master(nodes=[owner])).attributes
    assert [value for name, value in attributes if name == "href" and "8751" in str(value)] == [url] * bool(url)


def test_a_long_table_ends_with_how_many_more_there_are() -> None:
    tasks = {**master()["tasks"], "owner_count": 1300}
    assert "1,299 more are not shown." in page_of(master(tasks=tasks)).texts
    tasks = {**tasks, "owners": [OWNER] * 280, "owner_count": 280}
    assert "30 more are not shown." in page_of(master(tasks=tasks)).texts


def test_each_viewer_sorts_a_table_for_himself_by_its_heads() -> None:
    owners = [{**OWNER, "name": name, "finished": count} for name, count in (("b", 9), ("a", 10), ("c", 8))]
    status = master(tasks={**master()["tasks"], "owners": owners})

    def names(**query: str) -> list[str]:
        return [text for text in page_of(status, **query).texts if text in ("a", "b", "c")]

    assert names() == ["b", "a", "c"]
    assert names(owners="-finished") == ["a", "b", "c"]
    assert names(owners="finished") == ["c", "b", "a"]
    assert names(owners="application or system") == ["a", "b", "c"]
    assert names(owners="no such head") == ["b", "a", "c"]
    attributes = page_of(status, owners="-finished", jobs="id").attributes
    assert ("aria-sort", "descending") in attributes
    assert ("href", "/?owners=finished&jobs=id") in attributes


def test_a_slave_shows_its_workers() -> None:
    status = slave(
        size=2,
        idle=1,
        running={41: None, 42: 6, 43: 7},
        tasks=[
            {"task": 6, "worker": 42, "run_s": 7.0, "note": "its process is stopped", "shown": "task 6 (train)"}
        ],
        waiting=3,
        deaths=1,
        done=8,
        window=12,
        task_s=2.5,
    )
    texts = page_of(status).texts
    assert {
        "41",
        "idle",
        "42",
        "task 6 (train)",
        "task 7",
        "7.0 s",
        "its process is stopped",
        "12",
        "2.5 s",
    } <= set(texts)


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
    assert "svg" not in page_of(application(pushed=0, finished=0)).tags


def test_a_node_that_does_not_answer_says_so() -> None:
    def held_up() -> Any:
        raise CallTimeout("held <up>")

    service: Any = Service({})
    ping = Ping(node_id="master-m", type="master", version="1", pid=5)
    texts = Page(PageDesk(service, "A node", ping, held_up).html("/", {})).texts
    assert {"held <up>", "master-m, process 5, version 1"} <= set(texts)


@pytest.mark.parametrize(
    ("master_address", "client_ip", "link"),
    [
        ("127.0.0.1:8750", "127.0.0.1", "http://127.0.0.1:8750/"),
        ("127.0.0.1:8750", "10.0.0.9", None),
        ("[fd00::1]:8750", "10.0.0.9", "http://[fd00::1]:8750/"),
        ("example.org:8750", "10.0.0.9", "http://example.org:8750/"),
        ("", "127.0.0.1", None),
    ],
)
def test_the_pages_of_nodes_lead_to_that_of_their_master(
    master_address: str, client_ip: str, link: str | None
) -> None:
    for status in (slave(), application()):
        page = page_of({**status, "master": master_address}, service=Service({}, client_ip=client_ip))
        links = [value for name, value in page.attributes if name == "href" and "8750" in str(value)]
        assert links == ([link] if link else [])


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
    for path in PATHS[type_name]:
        text = html_of(statuses[type_name], path, title=EVIL, owners=EVIL, find=EVIL, job=EVIL)
        page = Page(text)
        assert "<script>alert" not in text
        assert EVIL in page.texts or EVIL in dict(page.attributes).values()
        assert not any(name.startswith("on") for name, _ in page.attributes)


def test_no_script_stands_in_a_page_and_nothing_comes_from_elsewhere() -> None:
    page = page_of(master())
    assert not page.tags & {"style", "img", "iframe"}
    sources = [value for name, value in page.attributes if name in ("src", "href") and "://" in str(value)]
    assert sources == []
    assert re.findall(r"<script[^>]*>[^<]", html_of(master())) == []


def test_the_scripts_of_the_pages_are_small() -> None:
    folder = Path(desk.__file__).parent / "assets"
    assert sum(script.stat().st_size for script in folder.glob("*.js")) <= 60 << 10


def test_the_paths_that_are_served_are_those_of_the_views() -> None:
    assert {kind: tuple(views) for kind, views in desk.VIEWS.items()} == PATHS


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
        (master(journal={"problem": "the disk is full"}), "the disk is full"),
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
    gone = node(node_id="application-c", type="application", state="gone", data=data)
    page = page_of(master(nodes=[gone]), "/workers")
    assert "Squares?[2J<b> of ann: application-c" in page.texts
