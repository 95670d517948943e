"""Whether two payloads are taken for the same."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from concurrent.scheduling.pickling.alike import alike
from concurrent.scheduling.pickling.code import AppCode


@pytest.fixture
def code() -> AppCode:
    return AppCode()


def another(text: str) -> str:
    """Return an equal text that is not the same object."""
    return "".join(list(text))


def digest(code: AppCode, value: Any) -> bytes:
    return alike(code.dumps_payload(value), code)


def test_it_does_not_matter_which_equal_texts_are_one_object(code: AppCode) -> None:
    text = another("some text")
    one, other = {"a": text, "b": text}, {"a": text, "b": another("some text")}
    assert code.dumps_payload(one) != code.dumps_payload(other)
    assert digest(code, one) == digest(code, other)


def test_it_matters_whether_what_can_be_changed_is_one_object(code: AppCode) -> None:
    part = [1]
    assert digest(code, [part, part]) != digest(code, [part, [1]])


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, True), ("a", b"a"), ("", b""), ([1, 2], (1, 2)), ({"a": "b"}, {"b": "a"}), (["a"], [["a"]])],
)
def test_different_values_differ(code: AppCode, one: Any, other: Any) -> None:
    assert digest(code, one) != digest(code, other)


def test_what_holds_itself_is_like_itself(code: AppCode) -> None:
    loop: list[Any] = ["a"]
    loop.append(loop)
    other: list[Any] = [another("a")]
    other.append(other)
    assert digest(code, loop) == digest(code, other)


def test_what_cannot_be_read_is_like_its_own_bytes(code: AppCode) -> None:
    broken = b"\x80no pickle"
    assert alike(broken, code) == alike(bytes(bytearray(broken)), code)
    assert alike(broken, code) != alike(broken + b".", code)


def test_a_payload_is_read_and_written_by_the_code_of_its_application(code: AppCode) -> None:
    large = bytes(1 << 20)
    assert digest(code, [large]) == digest(code, [bytes(1 << 20)])
    assert pickle.dumps(1, 5) != digest(code, 1)
