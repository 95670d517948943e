"""What somebody may have meant is found among what is known, and never takes long."""

from __future__ import annotations

from collections.abc import Iterator

from concurrent.core.nearest import KNOWN_MAX, NAME_CHARS_MAX, did_you_mean, nearest


def test_what_is_near_is_named_as_it_is_written() -> None:
    assert did_you_mean("SQUAER", ["cube", "Square"]) == "Did you mean Square? "
    assert did_you_mean("zzz", ["cube", "Square"]) == ""


def test_names_that_nobody_mistypes_are_not_compared() -> None:
    looked: list[int] = []

    def known() -> Iterator[str]:
        for number in range(10 * KNOWN_MAX):
            looked.append(number)
            yield f"f{number}"

    assert nearest("f5", known()) == "f5"
    assert len(looked) == KNOWN_MAX
    name = "x" * NAME_CHARS_MAX
    assert nearest(name, [name]) == name
    assert nearest(f"{name}x", [name]) == ""
