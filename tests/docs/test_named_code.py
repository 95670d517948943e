"""The pages name files, functions and programs: they exist, and do what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_examples import PAGES_WITH_EXAMPLES, ROOT, blocks_of

ROOMS = ("core", "transport", "scheduling", "apps")
RUN_WITHIN_S = 60

_FILE = re.compile(
    r"`((?:core|transport|scheduling|apps|benchmarks|concurrent|docs|samples|tests)/[\w/.]+\.\w+)`"
)
_PLACE = re.compile(r"`([A-Za-z_.]+)`\s+in\s+`((?:core|transport|scheduling|apps)/[\w/]+\.py)`")


def path_of(name: str) -> Path:
    """Return where a file is that a page names from the root, or from ``concurrent/``."""
    return ROOT / "concurrent" / name if name.startswith(ROOMS) else ROOT / name


def missing_names(page: str) -> list[str]:
    """Return the files, and the functions and classes in files, that a page names and that do not exist."""
    missing = [name for name in _FILE.findall(page) if not path_of(name).exists()]
    for name, file in _PLACE.findall(page):
        for part in name.split("."):
            source = path_of(file).read_text(encoding="utf-8")
            if not re.search(rf"\b(?:def|class) {part}\b", source):
                missing.append(f"{name} in {file}")
    return missing


@pytest.mark.parametrize("path", PAGES_WITH_EXAMPLES, ids=lambda path: path.name)
def test_files_and_functions_that_a_page_names_exist(path: Path) -> None:
    assert missing_names(path.read_text(encoding="utf-8")) == []


def test_a_name_that_is_gone_is_found() -> None:
    page = (
        "`tests/gone.py` and `Ledger.vanish` in\n`scheduling/ledger/ledger.py`, "
        "`Ledger` in `scheduling/ledger/ledger.py`"
    )
    assert missing_names(page) == ["tests/gone.py", "Ledger.vanish in scheduling/ledger/ledger.py"]


def test_whatever_begins_a_thread_or_has_a_lock_is_in_the_tables_of_them() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "concurrent"
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"\b(?:Thread|CallThread|R?Lock)\(", path.read_text(encoding="utf-8"))
    }
    found.remove("core/callthread.py")  # its threads are those of others
    assert found == {name for name in found if f"`{name}`" in page}


def test_the_first_application_prints_what_the_readme_says(tmp_path: Path) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    (hello,) = (block for block in blocks_of(page) if block.file == "hello.py")
    printed = page.partition("prints, in the order in which they finish:\n\n```text\n")[2].partition("```")[0]
    assert len(hello.text.splitlines()) <= 20
    (tmp_path / "hello.py").write_text(hello.text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "concurrent.apps.main", "app", "hello.py", "--workers", "2"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_WITHIN_S,
        check=True,
    )
    assert sorted(done.stdout.splitlines()) == printed.splitlines()
