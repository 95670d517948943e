"""Names of nodes, and what they say."""

from __future__ import annotations

import os
import re

from concurrent.core.ids import new_node_id


def test_no_two_nodes_have_the_same_name() -> None:
    assert new_node_id("slave") != new_node_id("slave")
    assert re.fullmatch(rf"slave-anna-{os.getpid()}-[0-9a-f]{{8}}", new_node_id("slave", "anna"))
