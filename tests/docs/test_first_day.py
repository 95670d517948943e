"""The first day: whoever types what the page says sees what it says."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import blocks_of
from tests.docs.terminals import Machines, Typed, pattern_of, typed_in

PAGE = Path(__file__).resolve().parents[2] / "docs" / "first-day.md"


@pytest.fixture
def machines() -> Iterator[Machines]:
    folder = Path(tempfile.mkdtemp(prefix="cd"))
    found = Machines(folder)
    yield found
    found.close()
    for path in folder.rglob("*"):  # projects in caches may not be written to
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder)


def change(folder: Path, diff: str) -> None:
    """Change one line of a file as a page says."""
    name, before, after = diff.splitlines()
    file = folder / name.removeprefix("--- ")
    text = file.read_text(encoding="utf-8")
    assert text.count(f"{before[1:]}\n") == 1, f"{file.name} has no line {before[1:]!r}"
    file.write_text(text.replace(before[1:], after[1:]), encoding="utf-8")


@pytest.mark.system
@pytest.mark.timeout(400)
def test_the_first_day_goes_as_the_page_says(machines: Machines) -> None:
    for block in blocks_of(PAGE.read_text(encoding="utf-8")):
        if block.file is not None:
            file = machines.home("desk") / block.file
            file.parent.mkdir(exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.language == "diff":
            change(machines.home("desk"), block.text)
        elif block.language == "console":
            for typed in typed_in(block.text):
                machines.type(typed)


def test_a_changed_line_is_the_one_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\n  two\n")
    change(tmp_path, "--- a.py\n-  two\n+  three\n")
    assert (tmp_path / "a.py").read_text() == "one\n  three\n"
    with pytest.raises(AssertionError):
        change(tmp_path, "--- a.py\n-  two\n+  three\n")


def test_what_is_typed_is_told_from_what_is_printed() -> None:
    assert list(typed_in("desk$ one 'two'\nprinted\n...\ntower$ three\n")) == [
        Typed("desk", "one 'two'", ("printed", "...")),
        Typed("tower", "three", ()),
    ]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("a ... c\n", "a b c\n"),
        ("a\n...\nc\n", "a\nb\nb\nc\n"),
        ("a  b\n", "a    b\n"),
        ("at tower:8750, tower-4kd2\n", "at here:999, here-wxyz\n"),
        ("slave-rack-11916-91dad5d7 joined\n", "slave-here.net-5-7a64818e joined\n"),
    ],
)
def test_what_a_page_prints_stands_for_what_is_said(page: str, said: str) -> None:
    assert pattern_of(tuple(page.splitlines()), {"tower": "here"}, 999).fullmatch(said)


@pytest.mark.parametrize(("page", "said"), [("a\n", "b\n"), ("a\n", "a\nb\n"), ("a 8750\n", "a 8750\n")])
def test_what_differs_from_a_page_is_found(page: str, said: str) -> None:
    assert pattern_of(tuple(page.splitlines()), {}, 999).fullmatch(said) is None


def test_a_word_in_capitals_keeps_what_is_said() -> None:
    found = pattern_of(("join LINE-OF-RACK",), {}, 999).fullmatch("join c1.office@x:1\n")
    assert found is not None
    assert found["LINE_OF_RACK"] == "c1.office@x:1"
