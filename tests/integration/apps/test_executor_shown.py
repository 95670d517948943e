"""What executors and futures say of themselves, in a line and as a table."""

from __future__ import annotations

import pytest

from benchmarks.processes import free_port
from concurrent.apps import ClusterExecutor, LocalCluster
from concurrent.apps.main import main
from tests.integration.apps import workloads
from tests.system.cluster import Gate, wait_until

TIMEOUT_S = 30.0


def test_a_cluster_says_how_large_and_where_it_is_and_what_it_has_to_do(
    local_cluster: LocalCluster, gate: Gate
) -> None:
    address = local_cluster.address
    page = f"its page: concurrent open --master {address}"
    assert repr(local_cluster) == f"<LocalCluster of 2 workers at {address}, joined; {page}>"
    future = local_cluster.submit(workloads.hold, gate.port)
    assert repr(local_cluster) == f"<LocalCluster of 2 workers at {address}, joined, 1 call open; {page}>"
    gate.open()
    future.result(TIMEOUT_S)


def test_the_command_that_it_tells_opens_its_page(
    local_cluster: LocalCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    words = repr(local_cluster).rpartition("its page: concurrent ")[2].rstrip(">").split()
    assert main([*words, "--print"]) == 0
    assert f"http://{local_cluster.address}/login?code=" in capsys.readouterr().out


def test_an_executor_says_what_it_knows_and_when_it_is_over() -> None:
    executor = ClusterExecutor(f"127.0.0.1:{free_port()}")
    view = executor.options(priority=3)
    assert repr(executor).startswith(f"<ClusterExecutor at {executor.address}, not registered; its page: ")
    assert repr(view) == f"<ExecutorView of {executor!r}: priority=3>"
    view.shutdown()
    executor.shutdown()
    assert repr(executor) == f"<ClusterExecutor at {executor.address}, shut down>"
    assert repr(view).endswith(": priority=3, shut down>")


def test_the_workers_of_another_cluster_are_shown_once_somebody_has_asked(local_cluster: LocalCluster) -> None:
    with ClusterExecutor(local_cluster.address) as executor:
        assert executor.workers == 2
        assert repr(executor).startswith(f"<ClusterExecutor of 2 workers at {local_cluster.address}, joined")


def test_a_notebook_shows_a_table_in_which_nothing_is_markup(local_cluster: LocalCluster) -> None:
    table = local_cluster._repr_html_()
    assert table.startswith("<table><caption>LocalCluster</caption>")
    assert '<tr><th scope="row">workers</th><td>2</td></tr>' in table
    assert f"concurrent open --master {local_cluster.address}" in table
    view = local_cluster.options(name="<b>bold</b>")._repr_html_()
    assert "<b>" not in view
    assert "name=&lt;b&gt;bold" in view


def test_a_future_says_what_it_is_of_and_what_became_of_it(local_cluster: LocalCluster, gate: Gate) -> None:
    named = local_cluster.options(name="held")
    future = named.submit(workloads.hold, gate.port)
    wait_until(future.running, "it runs")
    assert repr(future) == f"<TaskFuture of held, task {future.task_id}: running>"
    gate.open()
    future.result(TIMEOUT_S)
    assert repr(future).endswith(": finished>")
    failed = local_cluster.submit(workloads.fail, "nothing there")
    failed.exception(TIMEOUT_S)
    assert repr(failed) == f"<TaskFuture of fail, task {failed.task_id}: raised LookupError>"
    never = ClusterExecutor(f"127.0.0.1:{free_port()}")
    waiting = never.submit(abs, -1)
    assert ": waiting>" in repr(waiting)
    waiting.cancel()
    assert repr(waiting).endswith(": cancelled>")
    never.shutdown()


def test_a_future_says_how_far_its_task_is(local_cluster: LocalCluster, gate: Gate) -> None:
    future = local_cluster.submit(workloads.say_and_hold, gate.port)
    wait_until(lambda: "3 of 10, training" in repr(future), "it has said so")
    gate.open()
    future.result(TIMEOUT_S)
