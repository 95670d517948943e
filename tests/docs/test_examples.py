"""The pages: their examples run and print what they say, and their links lead somewhere.

What counts as an example is said in ``pages.py``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import FENCE, blocks_of

ROOT = Path(__file__).resolve().parents[2]
PAGES_WITH_EXAMPLES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs/needs").glob("*.md")),
]
FOLDERS = (
    ".",
    "docs",
    "docs/design",
    "docs/measurements",
    "docs/needs",
    "docs/reference",
    "samples",
    "samples/*",
    "native",
    "conf",
    "benchmarks",
    "tests",
)
PAGES = sorted({page for folder in FOLDERS for page in ROOT.glob(f"{folder}/*.md")})

RUN_WITHIN_S = 100
PAGE_WITHIN_S = 400

_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def run_examples(page: str, folder: Path) -> list[str]:
    """Write the files and run the programs of a page in a folder; return what went wrong."""
    problems = []
    for block in blocks_of(page):
        if block.file is not None:
            file = folder / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
            if file.suffix == ".py":
                compile(block.text, block.file, "exec")
        elif block.is_program and not block.missing:
            program = folder / f"line_{block.line}.py"
            program.write_text(block.text, encoding="utf-8")
            done = subprocess.run(
                [sys.executable, program.name],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=RUN_WITHIN_S,
                check=False,
            )
            if done.returncode != 0:
                problems.append(f"line {block.line} fails:\n{done.stderr}")
            elif block.printed is not None and done.stdout != block.printed:
                problems.append(f"line {block.line} prints:\n{done.stdout}")
    return problems


def anchors_of(page: str) -> set[str]:
    """Return the anchors that the headings of a page get, by the rule that code hosts share."""
    headings = _HEADING.findall(FENCE.sub("", page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere."""
    page = path.read_text(encoding="utf-8")
    problems = []
    for found in _LINK.finditer(FENCE.sub("", page)):
        link = found[1] or found[2]
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        is_found = target.exists()
        if is_found and anchor and target.suffix == ".md":
            is_found = anchor in anchors_of(target.read_text(encoding="utf-8"))
        if not is_found:
            problems.append(f"{path.name}: {link}")
    return problems


@pytest.mark.timeout(PAGE_WITHIN_S)
@pytest.mark.parametrize("path", PAGES_WITH_EXAMPLES, ids=lambda path: path.name)
def test_examples_run_and_print_what_the_page_says(path: Path, tmp_path: Path) -> None:
    problems = run_examples(path.read_text(encoding="utf-8"), tmp_path)
    assert not problems, "\n".join(problems)
    missing = {name for block in blocks_of(path.read_text(encoding="utf-8")) for name in block.missing}
    if missing:
        pytest.skip(f"some examples need what is not installed: {', '.join(sorted(missing))}")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    problems = broken_links(path)
    assert not problems, "\n".join(problems)


PAGE = """
# A page

```ini
# file: conf/some.ini
[section]
```

```python
# file: words.py
word = "hello"
```

```python
from words import word
print(word, len(open("conf/some.ini").readlines()))
```

```text
{printed}
```

<!-- not run -->
```python
raise SystemExit("not run")
```
"""


def test_an_example_may_use_the_files_above_it(tmp_path: Path) -> None:
    assert run_examples(PAGE.format(printed="hello 2"), tmp_path) == []


def test_an_example_that_prints_something_else_is_found(tmp_path: Path) -> None:
    (problem,) = run_examples(PAGE.format(printed="hello 3"), tmp_path)
    assert problem == "line 15 prints:\nhello 2\n"


def test_an_example_that_fails_is_found(tmp_path: Path) -> None:
    (problem,) = run_examples("```python\n1 / 0\n```", tmp_path)
    assert "ZeroDivisionError" in problem


def test_an_example_that_needs_what_is_not_installed_is_left_out(tmp_path: Path) -> None:
    page = "<!-- needs {names} -->\n```python\n1 / 0\n```"
    assert run_examples(page.format(names="json, no_such_package"), tmp_path) == []
    (block,) = blocks_of(page.format(names="json, no_such_package"))
    assert block.missing == ("no_such_package",)
    assert len(run_examples(page.format(names="json"), tmp_path)) == 1


def test_links_to_missing_files_and_headings_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Who, and `why`?\n[a](page.md#who-and-why) [b](#who-and-why) [c](https://example.org/x)\n"
        "[d](gone.md) ![e](gone.png) [f](#nowhere)\n```text\n[g](gone.md)\n```\n",
        encoding="utf-8",
    )
    assert broken_links(page) == ["page.md: gone.md", "page.md: gone.png", "page.md: #nowhere"]
