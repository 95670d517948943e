"""Whatever a callback raises ends its application, or its task system, at once and in good order."""

from __future__ import annotations

import pytest

from tests.system.cluster import APPS, Cluster

pytestmark = pytest.mark.system

APP = APPS / "leaves.py"
CODE_AND_WORDS = {
    "exit": (4, ""),
    "text": (1, "the last words"),
    "interrupt": (130, ""),
    "cancel": (1, "CancelledError: of a callback"),
    "generator": (1, "GeneratorExit: of a callback"),
    "error": (1, "ValueError: of a callback"),
}
PLACES = (
    "app_init",
    "get_task_system",
    "start_processing",
    "push_task_response",
    "task_finished",
    "work_finished",
)
SYSTEM_PLACES = ("unpickled", "generate_tasks", "gather_result")


@pytest.mark.parametrize("how", list(CODE_AND_WORDS))
def test_a_callback_of_an_application_ends_it(cluster: Cluster, how: str) -> None:
    cluster.master("-w", "1")
    apps = {where: cluster.app(APP, options=(f"leaves.where={where}", f"leaves.how={how}")) for where in PLACES}
    code, words = CODE_AND_WORDS[how]
    for where, app in apps.items():
        assert app.wait() == code, f"{where}: {app.err}"
        assert words in app.err, where
        assert ("Traceback" in app.err) == ("of a callback" in words), where
    nodes = [node for node in cluster.status()["nodes"] if node["type"] == "application"]
    assert not [node for node in nodes if node["state"] == "joined"]


@pytest.mark.parametrize("how", list(CODE_AND_WORDS))
def test_a_method_of_a_task_system_is_the_error_of_that_system(cluster: Cluster, how: str) -> None:
    cluster.master("-w", "1")
    options = (f"leaves.how={how}", "leaves.system=yes")
    apps = {where: cluster.app(APP, options=(f"leaves.where={where}", *options)) for where in SYSTEM_PLACES}
    name = {"exit": "SystemExit", "text": "SystemExit", "interrupt": "KeyboardInterrupt"}.get(
        how, "of a callback"
    )
    for where, app in apps.items():
        assert app.wait() == 1, f"{where}: {app.err}"
        assert name in app.err, where
    assert cluster.status()["tasks"]["open"] == 0
