"""What somebody sees who may only look: a cluster with keys, and a browser that has logged in with a token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from concurrent.apps import ClusterExecutor
from tests.browser.viewing import Chrome, Person
from tests.integration.apps.workloads import fail
from tests.system.cluster import Cluster

TIMEOUT_S = 30.0


@pytest.fixture
def keyed(_has_browser: None, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.close()


@pytest.mark.system
def test_who_only_watches_sees_counts_and_names_and_neither_words_nor_buttons(
    browser: Chrome, keyed: Cluster
) -> None:
    keyed.master()
    keyed.slave(workers=1)
    token = keyed.run("keys", "token", "observe", "--name", "wall").succeed().strip()
    with ClusterExecutor(keyed.address, own_modules=["tests"]) as executor:
        assert executor.submit(fail, "a secret").exception(TIMEOUT_S)
        person = Person(browser, keyed.address)
        person.open("/login")
        person.find("input[name=token]").send_keys(token)
        person.find("button").click()
        person.reads("wall", "footer")
        person.reads("fail", "#progress")
        for path in ("/", "/tasks", "/failures", "/workers", "/timeline"):
            person.open(path)
            person.reads("You are logged in as wall, role observe")
            assert not person.has("button[data-method]"), path
            assert "a secret" not in person.text(), path
        person.open("/failures")
        person.reads("LookupError in fail")
        person.reads("What it raised and printed is for its owner.")
