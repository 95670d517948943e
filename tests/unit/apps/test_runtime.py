"""Which nodes run the same as their master, so that code may travel between them."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.apps.runtime import PYTHON, check_runtime, describe_runtime, why_not_of_this
from concurrent.core.errors import InvalidArguments, VersionMismatch


def other(version: str) -> str:
    """Return a version that differs in the second part."""
    major, minor, *rest = version.split(".")
    return ".".join([major, str(int(minor) + 1), *rest])


def test_a_node_like_the_master_is_taken_in() -> None:
    check_runtime("slave-1", {"workers": 4, **describe_runtime()})


@pytest.mark.parametrize("key", ["python", "cloudpickle", "version"])
def test_the_last_part_of_a_version_may_differ(key: str) -> None:
    own = describe_runtime()[key]
    check_runtime("slave-1", {key: ".".join(own.split(".")[:2]) + ".77"})


def test_a_peer_that_says_nothing_of_it_knows_itself_what_it_sends() -> None:
    check_runtime("slave-1", {})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("implementation", "PyPy"),
        ("python", other(describe_runtime()["python"])),
        ("python", "2.7.18"),
        ("pickle", "3"),
        ("cloudpickle", "2.2.1"),
        ("cloudpickle", other(describe_runtime()["cloudpickle"])),
        ("version", other(describe_runtime()["version"])),
    ],
)
def test_what_differs_is_named_with_both_values_and_the_remedy(key: str, value: str) -> None:
    with pytest.raises(VersionMismatch) as caught:
        check_runtime("slave-1", {**describe_runtime(), key: value})
    text = str(caught.value)
    assert "slave-1" in text
    assert value in text
    assert describe_runtime()[key] in text
    assert "Start all nodes" in text


@pytest.mark.parametrize("value", [3.11, ["3", "11"], "3.11\n", "3" * 100, {}])
def test_a_version_that_is_no_short_text_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArguments):
        check_runtime("slave-1", {"python": value})


def test_the_python_that_is_asked_for_has_two_parts_of_its_version() -> None:
    assert PYTHON.count(".") == 1


def test_code_of_the_same_versions_runs_here() -> None:
    assert why_not_of_this(describe_runtime()) == ""
    assert why_not_of_this({}) == ""


def test_code_of_another_python_does_not_and_that_is_said_by_name() -> None:
    reason = why_not_of_this({**describe_runtime(), "python": "2.7.18"})
    assert "its code was made with Python 2.7.18" in reason
    assert "start it with Python 2.7" in reason
