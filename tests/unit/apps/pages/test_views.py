"""The views of a master: what they show of what its methods answer, and which buttons are there for whom."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.apps import observed
from concurrent.apps.nodeviews import PATHS
from concurrent.apps.pages import desk
from concurrent.apps.troublelist import TroubleRow
from concurrent.core.errors import JobUnknown
from concurrent.core.status import Status
from tests.unit.apps.pages.seeing import ADMIN, EVIL, NOTHING, NOW, OBSERVER, Page, Service, html_of, page_of

COMMANDS = ("cancel_tasks", "retry_tasks", "cancel_job", "release_job", "drain", "resume")
MASTER = {"node_id": "master-m", "type": "master", "version": "1", "pid": 5, "started_at": NOW}
COUNTS = {"waiting": 40, "between_tries": 2, "running": 3, "finished": 1234, "failed": 5, "cancelled": 1}
PROGRESS = {
    "items": [{"owner": 1, "job": "hunt", "job_id": "j1", "function": "train", "counts": COUNTS}],
    "total": 1,
}
TASK = {
    "task": 71, "id": 3, "owner": 1, "job": "hunt", "name": "train", "state": "running", "slave": "slave-a",
    "worker": 4711, "since_at": NOW - 12, "tries": 2, "words": "half of it", "is_yours": True,
}  # fmt: skip
FAILURE = {
    "owner": 1, "job": "hunt", "function": "train", "exception": "KeyError", "count": 1500, "tried_again": 7,
    "first_at": NOW - 100, "last_at": NOW - 10, "slaves": ["slave-a"], "tasks": ["hunt/9", "hunt/8"],
    "text": "Traceback of it", "output": "what it printed", "is_yours": True,
}  # fmt: skip
WORKER = {
    "pid": 4711, "cpu": 0.5, "memory_bytes": 2048, "task": 71, "name": "train", "job": "hunt",
    "since_at": NOW - 12, "done": 8,
}  # fmt: skip
SLAVE = {
    "number": 1, "name": "slave-a", "host": "rack", "page": "10.0.0.7:8751", "state": "joined", "workers": 4,
    "busy": 1, "held": 2, "done": 99, "failed": 55, "task_s": 0.25, "machine_cpu": 3.14, "machine_cpus": 8,
    "machine_used_bytes": 1 << 30, "machine_bytes": 4 << 30, "processes": [WORKER],
}  # fmt: skip
TIMELINE = {
    "lanes": [{"slave": "slave-a", "worker": 4711}, {"slave": "slave-b", "worker": 1}],
    "functions": [{"owner": 1, "job": "hunt", "name": "train"}],
    "items": [[0, 0, NOW - 3, 2.0, 1.0, 10, 1], [1, 0, NOW - 2, 1.0, 1.0, 2, 0]],
}
EXPLANATION = {
    "task": 71, "id": 3, "owner": "hunt", "name": "train", "state": "queued", "age_s": 12.0, "asks": {},
    "waits_for": "free gpu", "able": 1, "slaves": 2, "because": ["too little is free"],
    "history": ["it came"], "then": "it waits on",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.time, "time", lambda: NOW)


def answered(**answers: Any) -> dict[str, Any]:
    return {**NOTHING, **answers}


TROUBLE = {
    "kind": "failed",
    "words": "1 task failed (look of hunt)",
    "says": "no disk",
    "remedy": "read its traceback",
    "command": "concurrent logs hunt/7",
    "page": "/failures?find=look",
}


def seen(path: str, service: Service, **query: str) -> Page:
    return page_of(MASTER, path, service, **query)


def test_the_first_line_says_whether_the_cluster_moves_or_why_not() -> None:
    now = {
        "words": "40 tasks wait for a slave",
        "moves": False,
        "counts": COUNTS,
        "troubles": {"items": [TROUBLE], "total": 3, "left_out": 2},
    }
    page = seen("/", Service(answered(now=now)))
    first = page.texts.index("40 tasks wait for a slave")
    assert page.texts[first + 1 : first + 7] == [
        "What is wrong: 3",
        "1 task failed (look of hunt)",
        "no disk",
        "Read its traceback:",
        "concurrent logs hunt/7",
        "2 more are not shown.",
    ]
    assert ("href", "/failures?find=look") in page.attributes
    assert ("class", "note lead bad") in page.attributes
    assert {"1,234", "40"} <= set(page.texts)
    assert ("href", "/tasks?state=failed") in page.attributes
    page = seen("/", Service(answered(now={**now, "moves": True, "left_s": 90.0})))
    assert ("class", "note lead good") in page.attributes
    assert "about 90.0 s" in page.texts


def test_progress_is_shown_by_job_and_function_with_a_button_for_who_may_cancel() -> None:
    page = seen("/", Service(answered(progress=PROGRESS), ADMIN, commands=COMMANDS))
    assert {"train", "hunt", "1,234", "5"} <= set(page.texts)
    assert ("aria-label", "1240 of 1285, 5 failed") in page.attributes
    assert ("class", "bad") in page.attributes
    assert ("href", "/job?job=j1") in page.attributes
    assert page.methods == ["cancel_tasks"]
    assert ("data-params", '{"job":"j1","function":"train"}') in page.attributes
    asked = next(str(value) for name, value in page.attributes if name == "data-ask")
    assert "the 45 open tasks 'train' of hunt" in asked


@pytest.mark.parametrize("path", PATHS["master"])
def test_who_only_observes_has_no_buttons_but_to_look(path: str) -> None:
    answers = answered(
        progress=PROGRESS, workers={"items": [SLAVE]}, task={"row": TASK}, tasks={"items": [TASK], "total": 1}
    )
    assert not seen(path, Service(answers, OBSERVER, commands=COMMANDS), task="71", job="hunt").methods


def test_figures_over_time_are_drawn_and_said_in_words() -> None:
    points = [[NOW - 900 + second, 4.0, second / 10] for second in (*range(100, 400), *range(600, 900))]
    series = {"names": ["at", "busy", "cpu"], "items": points}
    page = seen("/", Service(answered(series=series)))
    assert ("aria-label", "Workers busy: 4 now, 4 at most") in page.attributes
    assert ("aria-label", "Cores used by workers: 90 now, 90 at most") in page.attributes
    lines = [str(value) for name, value in page.attributes if name == "points"]
    assert len(lines) == 4, "there is a gap in each"
    assert all(line.count(",") <= 80 for line in lines)
    assert ("href", "/?span=day") in page.attributes
    service = Service(answered(series=series))
    seen("/", service, span="day")
    assert ("series", {"resolution_s": 60.0}) in service.asked


def test_tasks_are_listed_a_part_at_a_time() -> None:
    tasks = {"items": [TASK] * 100, "total": 50_000, "left_out": 49_800, "known": 350}
    service = Service(answered(tasks=tasks))
    page = seen("/tasks", service, state="running", function="train", offset="100")
    wanted = {"state": "running", "function": "train", "job": "", "limit": 100, "offset": 100}
    assert service.asked == [("tasks", wanted)]
    assert {"3", "for 12.0 s", "half of it", "4711"} <= set(page.texts)
    assert ("aria-label", "task hunt/3") in page.attributes
    assert "50,000 tasks, shown are 101 to 200. Of 49,650 only the number is known" in page.text
    links = [str(value) for name, value in page.attributes if name == "href"]
    assert "/tasks?state=running&function=train&offset=200" in links
    assert "/tasks?state=running&function=train" in links
    assert "/task?task=hunt%2F3" in links
    for odd in ("-1", "9" * 5000, "x"):
        assert "There are no such tasks." in seen("/tasks", Service(NOTHING), state=odd, offset=odd).texts


def test_failures_are_grouped_with_traceback_output_and_tasks() -> None:
    other = {**FAILURE, "exception": "OSError", "is_yours": False, "text": "", "output": ""}
    service = Service(answered(failures={"items": [FAILURE, other], "total": 2, "failed": 3000}))
    page = seen("/failures", service)
    assert "1,500 \N{MULTIPLICATION SIGN} KeyError in train" in page.texts
    assert {"Traceback of it", "what it printed", "9", "8"} <= set(page.texts)
    assert "What it raised and printed is for its owner." in page.texts
    assert "3,000 failed tasks, in 2 groups." in page.texts
    assert ("href", "/task?task=hunt%2F9") in page.attributes
    assert "KeyError" not in seen("/failures", service, find="oserr").text


def test_workers_are_shown_with_what_they_run_and_use() -> None:
    service = Service(answered(workers={"items": [SLAVE], "total": 201, "left_out": 200}), commands=COMMANDS)
    page = seen("/workers", service)
    assert {"rack", "joined", "250 ms", "3.1 of 8", "1.0 GiB of 4.0 GiB", "200 more are not shown."} <= set(
        page.texts
    )
    assert {"4711", "train", "12.0 s", "0.5", "2.0 KiB"} <= set(page.texts)
    assert ("href", "http://10.0.0.7:8751/") in page.attributes
    assert ("href", "/task?task=71") in page.attributes
    assert page.methods == ["drain"]
    assert "slave-a" not in seen("/workers", service, find="slave-b").text
    drained = {**SLAVE, "state": "drained", "words": "drained by admin:ann", "drain_ends_at": NOW + 30}
    page = seen("/workers", Service(answered(workers={"items": [drained]}), commands=COMMANDS))
    assert page.methods == ["resume"]
    assert "drained: by admin:ann; what runs is ended in 30.0 s" in page.texts


@pytest.mark.parametrize(("busy", "text"), [(0, "idle"), (1, "nothing, or a short task"), (4, "a short task")])
def test_a_worker_of_which_no_task_is_told_is_not_said_to_be_idle(busy: int, text: str) -> None:
    slave = {**SLAVE, "busy": busy, "processes": [{**WORKER, "task": -1, "since_at": 0.0}]}
    assert text in seen("/workers", Service(answered(workers={"items": [slave]}))).texts


def test_workers_are_sorted_by_numbers_not_by_their_texts() -> None:
    sizes = (900, 5 << 20, 30 << 10)
    workers = [{**WORKER, "pid": pid, "memory_bytes": size} for pid, size in enumerate(sizes, 101)]
    service = Service(answered(workers={"items": [{**SLAVE, "processes": workers}]}))
    texts = seen("/workers", service, workers="-memory").texts
    assert [text for text in texts if text in ("101", "102", "103")] == ["102", "103", "101"]


def test_one_task_is_explained_with_what_can_be_done() -> None:
    details = {
        "row": TASK,
        "came_at": NOW - 20,
        "explanation": EXPLANATION,
        "text": "Traceback",
        "output": "said",
    }
    page = seen("/task", Service(answered(task=details), commands=COMMANDS), task="hunt/3")
    for text in (
        "It waits for free gpu. 1 of 2 slaves could run it.",
        "too little is free",
        "it came",
        "Traceback",
    ):
        assert text in page.texts
    assert page.methods == ["cancel_tasks", "retry_tasks"]
    assert ("data-params", '{"tasks":["71"]}') in page.attributes
    ended = {**details, "row": {**TASK, "task": 0, "state": "failed"}}
    assert not seen("/task", Service(answered(task=ended), commands=COMMANDS), task="hunt/3").methods


def test_a_task_or_job_that_there_is_not_is_said() -> None:
    unknown = JobUnknown("there is no job 'x'")
    assert "there is no job 'x'" in seen("/task", Service(answered(task=unknown)), task="x/1").text
    page = seen("/job", Service(answered(job=unknown)), job="x")
    assert "There is no job 'x', or it is not yours and has no tasks now." in page.texts


def test_one_job_is_shown_with_its_functions_waits_and_failures() -> None:
    job = {"job": "j1", "name": "hunt", "state": "held", "reason": "its owner was revoked", "user": "ann@desk"}
    waits = {"waits": [{"count": 40, "first": EXPLANATION}]}
    answers = answered(progress=PROGRESS, job=job, explain_job=waits, failures={"items": [FAILURE]})
    service = Service(answers, commands=COMMANDS)
    page = seen("/job", service, job="hunt")
    assert {("progress", ("job", "j1")), ("failures", ("job", "j1"))} <= {
        (name, *params.items()) for name, params in service.asked
    }, "whatever else the cluster has, and however many jobs are called so"
    for text in ("Job hunt", "held: its owner was revoked", "ann@desk", "Traceback of it"):
        assert text in page.texts
    assert "40 tasks of hunt (train), queued, wait for free gpu" in page.text
    assert page.methods == ["cancel_job", "release_job", "cancel_tasks"]


def test_a_timeline_is_a_table_for_who_does_not_see_it() -> None:
    service = Service(answered(timeline=TIMELINE, workers={"items": [SLAVE]}))
    page = seen("/timeline", service)
    assert service.asked[0] == ("timeline", {"start_at": NOW - 300, "stop_at": NOW})
    start = page.texts.index("The last 5 minutes by function")
    assert page.texts[start:][9:17] == ["train", "hunt", "12", "1", "2.0 s", "167 ms", "500 ms", "2"]
    assert "11" not in seen("/timeline", service, slave="slave-b").texts
    assert ("data-live", "") in page.attributes
    assert ("data-running", f'[["slave-a",4711,"hunt","train",{NOW - 12}]]') in page.attributes


def all_evil(kind: type[Status]) -> Any:
    """Return an answer in which each text is one that could be markup."""
    said = kind.from_json({})

    def spoil(value: Any) -> Any:
        if isinstance(value, str):
            return EVIL
        if isinstance(value, dict):
            return {key: spoil(one) for key, one in value.items()}
        return [spoil(one) for one in value] if isinstance(value, list) else value

    return spoil(said.to_json())


@pytest.mark.parametrize("path", PATHS["master"])
def test_nothing_that_a_peer_chose_becomes_markup(path: str) -> None:
    rows = {
        "now": {
            **all_evil(observed.NowStatus),
            "troubles": {"items": [all_evil(TroubleRow)], "total": 1},
        },
        "progress": {"items": [{**all_evil(observed.ProgressRow), "counts": COUNTS}]},
        "tasks": {"items": [all_evil(observed.TaskRow)], "total": 1},
        "failures": {
            "items": [{**all_evil(observed.FailureRow), "is_yours": True, "slaves": [EVIL], "tasks": [EVIL]}]
        },
        "workers": {
            "items": [{**all_evil(observed.SlaveDetails), "page": "", "processes": [{**WORKER, "name": EVIL}]}]
        },
        "timeline": {**TIMELINE, "functions": [all_evil(observed.FunctionRow)]},
        "task": {
            "row": all_evil(observed.TaskRow),
            "text": EVIL,
            "output": EVIL,
            "explanation": {**EXPLANATION, "then": EVIL},
        },
    }
    service = Service(answered(**rows), commands=COMMANDS)
    text = html_of(MASTER, path, service, title=EVIL, job=EVIL, task=EVIL, find=EVIL, slave=EVIL)
    assert "<script>alert" not in text
    assert EVIL in Page(text).text
