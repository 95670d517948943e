"""Errors as text."""

from __future__ import annotations

import pickle

import pytest

from concurrent.core.errors import ConcurrentError, NodeError


@pytest.mark.parametrize(
    ("message", "remedy", "text"),
    [
        ("it is gone", None, "it is gone"),
        ("it is gone", "Start it", "it is gone. Start it"),
        ("it is gone.", "Start it.", "it is gone. Start it"),
    ],
)
def test_an_error_is_one_line_that_fits_into_another(message: str, remedy: str | None, text: str) -> None:
    assert str(ConcurrentError(message, remedy=remedy)) == text


def test_an_error_travels_with_all_that_it_says() -> None:
    error = pickle.loads(pickle.dumps(NodeError("it is gone", thing="master", value=3, remedy="Start it")))
    assert type(error) is NodeError
    assert (str(error), error.thing, error.value) == ("it is gone. Start it", "master", 3)
