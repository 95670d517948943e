"""What is said of a large cluster stays short, and offers nothing that cannot be reached."""

from __future__ import annotations

import pytest

from concurrent.apps.api import reachable_port
from concurrent.core.items import Host
from concurrent.core.rows import ROWS_MAX
from concurrent.scheduling.ledger.events import OwnerJoined, SlaveJoined, TasksSubmitted
from concurrent.scheduling.ledger.ledger import Ledger


@pytest.mark.parametrize(
    ("host", "master", "port"),
    [
        ("127.0.0.1", "127.0.0.1", 4711),
        ("127.0.0.1", "localhost", 4711),
        ("::1", "::1", 4711),
        ("127.0.0.1", "10.0.0.7", 0),
        ("localhost", "master.example", 0),
        ("0.0.0.0", "10.0.0.7", 4711),
        ("10.0.0.9", "127.0.0.1", 4711),
    ],
)
def test_a_page_that_nobody_at_the_master_can_reach_is_not_offered(host: str, master: str, port: int) -> None:
    assert reachable_port(host, 4711, Host(master, 8750)) == port


def test_of_many_slaves_and_owners_the_busy_ones_are_shown_and_all_are_counted() -> None:
    ledger = Ledger()
    for number in range(1, 1001):
        ledger.apply(SlaveJoined(number, f"slave-{number}", 1, 5))
        ledger.apply(OwnerJoined(number, f"owner-{number}"))
    ledger.apply(TasksSubmitted(3, 1, [b"x"] * 2))
    ledger.assign(5, 2)
    status = ledger.status()
    assert (status.slave_count, status.owner_count) == (1000, 1000)
    for rows, busy in ((status.slaves, 5), (status.owners, 3)):
        numbers = [row.number for row in rows]
        assert numbers == [busy, *range(1002 - ROWS_MAX, 1001)]
