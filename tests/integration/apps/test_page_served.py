"""A node serves its page for people."""

from __future__ import annotations

import json

from concurrent.apps import LocalCluster
from tests.local import fetch

TIMEOUT_S = 10.0


def test_the_page_of_a_master_shows_its_slave_and_the_application(local_cluster: LocalCluster) -> None:
    assert local_cluster.submit(abs, -1).result(TIMEOUT_S) == 1
    assert ">slave-" in fetch(local_cluster.address, "/workers").body.decode()
    answer = fetch(local_cluster.address, "/")
    page, headers = answer.body.decode(), answer.headers
    assert "<h1>Concurrent master</h1>" in page
    assert "application-" in page
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_the_timeline_of_a_master_is_a_file_for_other_tools(local_cluster: LocalCluster) -> None:
    trace = json.loads(fetch(local_cluster.address, "/trace.json").body)
    assert isinstance(trace["traceEvents"], list)
