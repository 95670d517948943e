"""What fits a parameter is what its annotation says; where it cannot be checked, anything fits."""

from __future__ import annotations

import inspect
from typing import Any, Optional, Union

import pytest

from concurrent.core.errors import InvalidArguments
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.arguments import checks_of
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.frames.frames import Frame
from concurrent.transport.security.identity import ANYBODY

FRAME = Frame(b"x")
REQUEST = Request("put", None, "192.0.2.1", ANYBODY)
Text = Union[str, bytes]  # noqa: UP007

FITS: list[tuple[Any, list[Any], list[Any]]] = [
    (int, [0, -1, 2**63], [True, 1.0, "1", None]),
    (float, [1.5, 1, 0, float("nan")], [True, "1", None]),
    (bool, [True], [0, 1, "yes"]),
    (str, ["a"], [b"a", None]),
    (list, [[], [1, "a"]], [(), {}]),
    (dict, [{}], [[], None]),
    (dict[str, int], [{"a": "b"}], [[]]),
    (list[int], [[], [1, 2]], [[1, True], [1.0], ["1"], 1]),
    (list[float], [[1, 1.5]], [[True], ["1"]]),
    (list[Any], [[1, "a"]], ["text"]),
    (list[bytes | Frame], [[b"a", FRAME]], [["a"], [None], b"a"]),
    (list[dict[str, int]], [[{}]], [[[]]]),
    (bytes | Frame, [b"a", FRAME], ["a", None, [b"a"]]),
    (int | None, [1, None], ["1", True]),
    (Optional[float], [1, None], ["1", True]),  # noqa: UP045
    (Text, ["a", b"a"], [1]),
    (list[int] | dict[str, int], [[1], {}], ["a", None]),
    (bytes, [b"a", FRAME, "a"], []),
    (Any, [None, 1, "a"], []),
    (object, [None, 1, "a"], []),
    (int | Any, [None, "a"], []),
    ("no such name", [None, 1], []),
]


@pytest.mark.parametrize(("hint", "fitting", "others"), FITS, ids=[str(row[0]) for row in FITS])
def test_a_method_takes_what_its_annotation_says(hint: Any, fitting: list[Any], others: list[Any]) -> None:
    methods = MethodRegistry()

    def put(_request, value):  # type: ignore[no-untyped-def]
        return value

    put.__annotations__["value"] = hint
    methods.register(put)
    for value in fitting:
        assert methods.dispatch("put", (REQUEST,), [value], {}) is value
        assert methods.dispatch("put", (REQUEST,), [], {"value": value}) is value
    for value in others:
        for args, kwargs in (([value], {}), ([], {"value": value})):
            with pytest.raises(InvalidArguments, match=r"put: value must be .*, but (is|has) "):
                methods.dispatch("put", (REQUEST,), args, kwargs)


def test_a_complaint_names_what_was_wanted_and_what_came() -> None:
    def put(value: list[bytes | Frame], share: float | None) -> None:
        """Put."""

    checks = checks_of(put, inspect.signature(put))
    complaint = checks["value"].complaint([b"a", "a", 1, None])
    assert complaint == "must be a list of bytes or Frame, but has NoneType, int, str"
    assert checks["share"].complaint("1") == "must be float or None, but is str"
    assert checks["share"].complaint(1) is None


def test_what_only_type_checkers_know_leaves_the_other_parameters_checked() -> None:
    def put(_request: Request, value: int, other: "NotKnown" = None) -> "NotKnown":  # type: ignore[name-defined]  # noqa: F821, UP037
        return value, other

    assert list(checks_of(put, inspect.signature(put))) == ["value"]
