"""What a node says of itself is checked before it is kept."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.apps.registry import check_registration
from concurrent.core.errors import InvalidArguments


@pytest.mark.parametrize(
    ("node_id", "port", "data"),
    [("slave-1", 0, {}), ("n", 1, {"text": "y" * 4000}), ("Zoë" + "x" * 253, 65535, {"workers": 4})],
)
def test_what_makes_sense_is_accepted(node_id: str, port: int, data: dict[str, Any]) -> None:
    check_registration(node_id, port, data)


@pytest.mark.parametrize("node_id", ["", "x" * 257, "a\nb", "a\x1b[2J", "a\u202eb", ["x"], None, 7])
def test_an_id_that_is_none_is_refused(node_id: Any) -> None:
    with pytest.raises(InvalidArguments, match="node id must be"):
        check_registration(node_id, 0, {})


@pytest.mark.parametrize("port", [-1, 65536, True, 1.0, "80", None, 10**4000])
def test_a_port_that_is_none_is_refused(port: Any) -> None:
    with pytest.raises(InvalidArguments, match="port must be"):
        check_registration("node", port, {})


@pytest.mark.parametrize(
    "data", [None, [["a", "b"]], {"x": "y" * 4096}, {"x": {1, 2}}, {"x": float("nan")}, {"x": b"bytes"}]
)
def test_data_that_is_too_large_or_not_of_json_is_refused(data: Any) -> None:
    with pytest.raises(InvalidArguments) as caught:
        check_registration("node", 0, data)
    assert caught.value.thing == "data"
