"""What holds for all pages, in a real browser: they live, run no script of others, and are for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from concurrent.apps import LocalCluster
from concurrent.apps.nodeviews import PATHS
from tests.browser.viewing import Chrome, Person, call, open_browser
from tests.integration.apps.workloads import fail, hold
from tests.system.cluster import Gate, wait_until

EVIL = "<img src=x onerror=alert(1)><b>"
"""What somebody may call a task."""


def named(name: str) -> Callable[[int], int]:
    """Return a task of a name that waits at a gate."""

    def task(port: int) -> int:
        return hold(port)

    task.__name__ = task.__qualname__ = name
    return task


def test_a_page_changes_while_somebody_looks_and_keeps_what_he_does(
    person: Person, cluster: LocalCluster, gate: Gate
) -> None:
    person.browser.execute_script("window.stays = true")
    future = cluster.submit(hold, gate.port)
    gate.wait_for(1)
    person.tab_to("Log out")
    cluster.submit(named("just_now"), gate.port)
    person.reads("just_now", "#progress")
    assert person.focused() == "Log out"
    assert person.browser.execute_script("return window.stays") is True
    gate.open()
    assert future.result(30)


def test_names_with_markup_are_text_and_no_script_of_others_runs(
    person: Person, cluster: LocalCluster, gate: Gate
) -> None:
    future = cluster.submit(named(EVIL), gate.port)
    gate.wait_for(1)
    person.reads(EVIL, "main")
    person.open("/")
    person.reads(EVIL, "main")
    assert not person.has("main img, main b")
    ran = person.browser.execute_script(
        """
        const made = document.createElement("script");
        const tries = [
          () => { made.append("window.ran = true"); document.body.append(made); },
          () => { made.textContent = "window.ran = true"; },
          () => { document.body.innerHTML += "<p>"; window.ran = true; },
          () => { document.body.setAttribute("onclick", "window.ran = true"); document.body.click(); },
        ];
        for (const one of tries) try { one(); } catch { }
        return window.ran ?? false;
        """
    )
    assert ran is False
    assert any("Content Security Policy" in line or "TrustedScript" in line for line in person.complaints())
    gate.open()
    future.result(30)


def test_a_page_says_that_the_node_is_away_and_goes_on_when_it_is_back(person: Person) -> None:
    person.browser.execute_cdp_cmd("Network.enable", {})
    away = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    person.browser.execute_cdp_cmd("Network.emulateNetworkConditions", away)
    person.reads("The node does not answer. Shown is its state of", "#connection")
    assert "stale" in str(person.find("main").get_attribute("class"))
    back = {**away, "offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    person.browser.execute_cdp_cmd("Network.emulateNetworkConditions", back)
    person.reads("The node answers again.", "#connection")
    assert "stale" not in str(person.find("main").get_attribute("class"))
    person.complaints()  # of the requests that failed


def test_who_looks_back_in_a_timeline_while_the_node_is_away_is_told_once(person: Person) -> None:
    person.open("/timeline")
    person.reads("following", ".controls")
    person.browser.execute_cdp_cmd("Network.enable", {})
    away = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    person.browser.execute_cdp_cmd("Network.emulateNetworkConditions", away)
    person.find("button[aria-label='Earlier']").click()
    person.reads("standing", ".controls")
    person.reads("The node does not answer.", "#connection")
    back = {**away, "offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    person.browser.execute_cdp_cmd("Network.emulateNetworkConditions", back)
    person.reads("The node answers again.", "#connection")
    assert not [line for line in person.complaints() if "Uncaught" in line]


def test_a_page_that_nobody_sees_asks_nothing(person: Person, cluster: LocalCluster) -> None:
    def calls() -> int:
        return int(
            person.browser.execute_script(
                "return performance.getEntriesByName(location.origin + '/api/1').length"
            )
        )

    wait_until(lambda: calls() > 1, "it asks again and again")
    hide = "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});"
    turn = "document.dispatchEvent(new Event('visibilitychange'))"
    person.browser.execute_script(hide + turn, True)
    before = calls()
    seen = person.browser.execute_async_script("setTimeout(arguments[0], 2500)")
    assert seen is None
    assert calls() <= before + 1  # one may have been on its way
    person.browser.execute_script(hide + turn, False)
    wait_until(lambda: calls() > before + 1, "it asks again")


def test_who_is_logged_out_is_told(person: Person, browser: Chrome) -> None:
    browser.delete_all_cookies()
    person.reads("You are not logged in any more. Log in", "#connection")
    person.complaints()  # of the request that was refused


@pytest.fixture
def busy(cluster: LocalCluster, gate: Gate) -> Iterator[str]:
    """Have tasks that run, wait and have failed; returns the name of their job."""
    assert cluster.submit(fail, "for everybody").exception(30)
    futures = [cluster.submit(named(EVIL), gate.port) for _ in range(3)]
    gate.wait_for(2)
    (row, *_) = call(cluster.address, "tasks", {"failed": True})["items"]
    yield row["job"]
    gate.open()
    for future in futures:
        future.result(30)


@pytest.mark.parametrize("path", PATHS["master"])
def test_pages_are_for_everybody(person: Person, busy: str, path: str) -> None:
    query = {"/job": f"?job={busy}", "/task": f"?task={busy}/1"}.get(path, "")
    person.open(path + query)
    wait_until(lambda: person.has("html.scripted"), "its script runs")
    person.reads(busy, "main")
    assert person.serious_findings() == []
    person.show_in_the_dark()
    assert person.serious_findings() == []
    person.show_on_phone()
    width = person.browser.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width[0] <= width[1], "it scrolls sideways"


def test_a_page_is_whole_without_scripts(cluster: LocalCluster, gate: Gate) -> None:
    future = cluster.submit(hold, gate.port)
    gate.wait_for(1)
    with open_browser(runs_scripts=False) as browser:
        person = Person(browser, cluster.address)
        person.log_in()
        assert "Scripts are off" in browser.find_element("tag name", "body").text
        assert "hold" in browser.find_element("tag name", "main").text
        browser.find_element("link text", "application or system").click()
        assert "owners=" in browser.current_url
        assert not [
            one
            for one in browser.find_elements("css selector", "button")
            if one.get_attribute("data-method") and one.is_displayed()
        ]
    gate.open()
    future.result(30)


def test_the_page_of_a_slave_leads_to_that_of_its_master_and_back(
    person: Person, cluster: LocalCluster
) -> None:
    person.open("/workers")
    link = person.find("#slaves td a")
    name = link.text
    assert link.get_attribute("href")
    slave = Person(person.browser, str(link.get_attribute("href")).removeprefix("http://").strip("/"))
    slave.log_in()
    slave.reads("tasks waiting here", "main")
    assert name in slave.text("main")
    back = slave.find("main dd a")
    assert back.text == cluster.address
    assert call(cluster.address, "page", {"path": "/"})
