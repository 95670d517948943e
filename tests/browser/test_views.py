"""Each view of a master, in a real browser, of a real cluster: what it shows, and what its buttons do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager

import pytest

from concurrent.apps import LocalCluster
from tests.browser.viewing import Keys, Person, call
from tests.integration.apps.workloads import fail, hold
from tests.local import fetch
from tests.system.cluster import Gate, wait_until

TIMEOUT_S = 30.0


def fails_aloud(number: int) -> None:
    """Print something, then raise."""
    print("before the end of", number)
    raise LookupError(f"nothing at {number}")


@contextmanager
def held(cluster: LocalCluster, gate: Gate, count: int = 2) -> Iterator[list[int]]:
    """Have so many tasks run that wait for the gate; returns the processes of their workers."""
    futures = [cluster.submit(hold, gate.port) for _ in range(count)]
    yield gate.wait_for(count)
    gate.open()
    for future in futures:
        if not future.cancelled():
            future.result(TIMEOUT_S)


def test_the_first_page_says_what_moves_and_a_button_cancels(
    person: Person, cluster: LocalCluster, gate: Gate
) -> None:
    with held(cluster, gate):
        waiting = [cluster.submit(fail, "never") for _ in range(5)]
        person.reads("2 of 2 workers are busy", "main .lead")
        person.reads("fail", "#progress")
        (button,) = [
            one
            for one in person.browser.find_elements("css selector", "#progress button")
            if "'fail'" in str(one.get_attribute("aria-label"))
        ]
        button.click()
        person.browser.switch_to.alert.dismiss()
        assert not any(future.done() for future in waiting)
        button.click()
        assert "Cancel the 5 open tasks 'fail'" in person.browser.switch_to.alert.text
        person.browser.switch_to.alert.accept()
        person.reads("Cancel: 5 waiting", "#connection")
        for future in waiting:
            with pytest.raises(CancelledError):
                future.result(TIMEOUT_S)


def test_failures_appear_by_themselves_with_traceback_and_output(person: Person, cluster: LocalCluster) -> None:
    person.open("/failures")
    futures = [cluster.submit(fails_aloud, number) for number in range(7)]
    for future in futures:
        assert isinstance(future.exception(TIMEOUT_S), LookupError)
    person.reads("7 \N{MULTIPLICATION SIGN} LookupError in fails_aloud")
    person.reads("raise LookupError")
    person.reads("before the end of")
    group = "details.group"
    person.find(f"{group} summary").click()
    wait_until(lambda: person.find(group).get_attribute("open") is None, "it is closed")
    assert isinstance(cluster.submit(fails_aloud, 8).exception(TIMEOUT_S), LookupError)
    person.reads("8 \N{MULTIPLICATION SIGN} LookupError in fails_aloud")
    assert person.find(group).get_attribute("open") is None, "it stays as somebody has left it"
    person.find(f"{group} summary").click()
    person.find(f"{group} dd .many a[href^='/task']").click()
    person.reads("LookupError: nothing at")
    person.reads("failed", "#task dl")
    person.open("/")
    person.reads("8 tasks failed (fails_aloud of", "#troubles")
    person.reads("nothing at 8", "#troubles")
    person.find("#troubles a[href*='find=fails_aloud']").click()
    person.reads("8 \N{MULTIPLICATION SIGN} LookupError in fails_aloud")


def test_tasks_are_filtered_without_loading_the_page(person: Person, cluster: LocalCluster, gate: Gate) -> None:
    cluster.submit(divmod, 7, 2).result(TIMEOUT_S)
    with held(cluster, gate) as processes:
        person.open("/tasks")
        person.reads("divmod", "#tasks")
        person.browser.execute_script("window.stays = true")
        field = person.find("input[name=function]")
        field.send_keys("hold", Keys.ENTER)
        wait_until(lambda: "divmod" not in person.text("#tasks"), "only those that are wanted")
        assert person.browser.execute_script("return window.stays") is True
        assert "function=hold" in person.browser.current_url
        person.reads(str(processes[0]), "#tasks")
        person.browser.back()
        wait_until(lambda: "function=" not in person.browser.current_url, "the address of before")
        person.reads("divmod", "#tasks")
        assert person.find("input[name=function]").get_property("value") == ""


def test_a_task_is_shown_and_cancelled(person: Person, cluster: LocalCluster, gate: Gate) -> None:
    with held(cluster, gate) as processes:
        person.open("/")
        future = cluster.submit(abs, -1)
        person.open("/tasks?state=waiting&function=abs")
        person.find("#tasks td a").click()
        person.reads("waiting", "#task dl")
        person.find("#task button[data-method=cancel_tasks]").click()
        person.browser.switch_to.alert.accept()
        person.reads("cancelled", "#task dl")
        with pytest.raises(CancelledError):
            future.result(TIMEOUT_S)
        assert processes


def test_workers_are_shown_and_a_slave_is_drained_by_a_button(
    person: Person, cluster: LocalCluster, gate: Gate
) -> None:
    with held(cluster, gate) as processes:
        person.open("/workers")
        for process in processes:
            person.reads(str(process), "#workers")
        person.reads("hold", "#workers")
        person.find("#slaves button").click()
        person.browser.switch_to.alert.accept()
        person.reads("draining: by", "#slaves")
    person.reads("drained: by", "#slaves")
    person.find("#slaves button").click()
    person.browser.switch_to.alert.accept()
    person.reads("joined", "#slaves")
    assert cluster.submit(abs, -1).result(TIMEOUT_S) == 1


def test_all_can_be_done_by_keyboard(person: Person, cluster: LocalCluster, gate: Gate) -> None:
    with held(cluster, gate):
        person.open("/")
        person.press(Keys.TAB)
        assert person.focused() == "Skip to content"
        person.press(Keys.ENTER)
        person.tab_to("job")
        person.press(Keys.ENTER)
        wait_until(lambda: "progress=job" in person.browser.current_url, "the table is sorted")
        wait_until(lambda: person.has("#progress th[aria-sort]"), "its head says so")
        assert person.focused() == "job"
        assert person.find("#progress th[aria-sort]").text.startswith("job")


def test_two_viewers_sort_and_search_each_for_himself(person: Person, cluster: LocalCluster) -> None:
    first = call(cluster.address, "page", {"path": "/workers", "query": {"slaves": "-done"}})
    second = call(cluster.address, "page", {"path": "/workers", "query": {"find": "nobody"}})
    assert "descending" in str(first)
    assert "descending" not in str(second)
    assert "No slave has joined" in str(second)


def test_a_job_is_shown_with_what_its_tasks_do(person: Person, cluster: LocalCluster, gate: Gate) -> None:
    with held(cluster, gate):
        person.open("/")
        person.reads("hold", "#progress")
        link = person.find("#progress td a[href^='/job']")
        link.click()
        person.reads("hold", "#progress")
        person.reads("running", "#job dl")


def test_the_timeline_shows_what_ran_and_what_runs(person: Person, cluster: LocalCluster, gate: Gate) -> None:
    for number in range(20):
        cluster.submit(abs, -number).result(TIMEOUT_S)
    with held(cluster, gate):
        person.open("/timeline")
        person.reads("abs", "#functions")
        person.reads("abs (", ".legend")
        person.reads("hold (", ".legend")
        person.reads("bars of 2 workers", ".controls")
        person.reads("following", ".controls")
        person.tab_to("Timeline of workers; the table below has the same in words")
        person.press("+", Keys.ARROW_LEFT)
        person.reads("standing", ".controls")
        person.press(Keys.END)
        person.reads("following", ".controls")
        drawn = person.browser.execute_script(
            """
            const canvas = document.querySelector("#bars canvas");
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return new Set(new Uint32Array(data.buffer)).size;
            """
        )
        assert drawn > 3, "there are bars in several colours"
    trace = json.loads(fetch(cluster.address, "/trace.json").body)
    assert "abs" in {event["name"] for event in trace["traceEvents"]}
    person.find("a[download]")
