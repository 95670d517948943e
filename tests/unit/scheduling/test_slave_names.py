"""What a strategy may know of a slave besides what it holds."""

from concurrent.core.ids import new_node_id
from concurrent.scheduling.ledger.events import SlaveJoined
from concurrent.scheduling.ledger.ledger import Ledger


def test_a_strategy_sees_name_host_and_whatever_else_a_slave_says_of_itself() -> None:
    ledger = Ledger()
    said = {"name": "anna", "host": "machine", "gpus": 2}
    ledger.apply(SlaveJoined(1, "slave-anna-1-a", 2, 10, said))
    slave = ledger.slaves[1]
    assert (slave.given_name, slave.host, slave.data["gpus"]) == ("anna", "machine", 2)


def test_a_slave_that_says_nothing_of_itself_has_no_name() -> None:
    ledger = Ledger()
    ledger.apply(SlaveJoined(1, "slave-machine-1-a", 2, 10))
    assert (ledger.slaves[1].given_name, ledger.slaves[1].host) == ("", "")


def test_two_nodes_of_one_name_have_different_ids() -> None:
    ids = {new_node_id("slave", "anna") for _ in range(100)}
    assert len(ids) == 100
    assert all(one.startswith("slave-anna-") for one in ids)
