"""A push that has to wait for room is no end of the callbacks that make it, wherever it is made."""

from __future__ import annotations

import pytest

from tests.system.cluster import APPS, Cluster

SMALL = ("master.memory_bytes_max=4194304", "master.disk_bytes_max=8388608")
APP = APPS / "big.py"


@pytest.mark.parametrize(
    "how",
    [
        "start_processing",
        "one_by_one",
        "callback",
        "work_finished",
        "thread",
        "system-generated",
        "system-returned",
        "system-pushed",
    ],
)
def test_more_than_the_master_keeps_is_finished_wherever_it_is_pushed(cluster: Cluster, how: str) -> None:
    app = cluster.embedded(APP, options=(*SMALL, f"big.how={how}"))
    assert app.succeed() == "finished 160\n"


@pytest.mark.parametrize(
    ("how", "code", "says"), [("fails", 1, "ValueError: of a callback"), ("exits", 5, ""), ("ends", 7, "")]
)
def test_a_callback_within_a_push_ends_the_application_as_any_other(
    cluster: Cluster, how: str, code: int, says: str
) -> None:
    app = cluster.embedded(APP, options=(*SMALL, f"big.how={how}", "big.count=100000"))
    assert app.wait() == code
    assert says in app.err
    assert "the push failed" not in app.out


@pytest.mark.parametrize("how", ["start_processing", "system-generated"])
def test_what_is_short_is_said_to_the_application_by_name_and_figure_until_there_is_room(
    cluster: Cluster, how: str
) -> None:
    cluster.master(options=SMALL)
    app = cluster.app(APP, options=(f"big.how={how}",))
    app.wait_for_line(
        r"no more tasks are accepted for now: the master has \d+ bytes in files in .*, and "
        r"master.disk_bytes_max = 8388608"
    )
    assert "disk_bytes_max" in cluster.status()["tasks"]["held_because"]
    cluster.slave()
    assert app.succeed() == "finished 160\n"
