"""The pages of the documentation: each is in a list of contents, each public name and each term stands once."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

from docs.site.made import entries_of

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LISTS = [DOCS / "index.md", *(DOCS / name / "README.md" for name in ("needs", "design", "reference"))]
TABLE_BEGINS = re.compile(r"\|[ :|-]+\|$")
OF_THE_SITE = (
    "*.md",
    "docs/**/*.md",
    "samples/*/README.md",
    "benchmarks/README.md",
    "native/README.md",
)
PUBLIC = (
    "concurrent.apps",
    "concurrent.scheduling",
    "concurrent.core",
    "concurrent.core.errors",
    "concurrent.transport",
)
ADAPTERS = ("joblib", "dask")

_DESCRIBED = re.compile(r"^\.\. (currentmodule|auto\w+):: ([\w.]+)$", re.MULTILINE)


def listed_pages() -> Counter[Path]:
    """Return how many times each page is in a list of contents."""
    pages: Counter[Path] = Counter()
    for page in LISTS:
        for entries in entries_of(page.read_text(encoding="utf-8")).values():
            pages.update((page.parent / f"{name}.md").resolve() for _, name in entries)
    return pages


def described_names() -> Counter[str]:
    """Return how many times each name is described in the reference, with its module."""
    names: Counter[str] = Counter()
    for page in (DOCS / "reference").glob("*.md"):
        module = ""
        for word, name in _DESCRIBED.findall(page.read_text(encoding="utf-8")):
            if word == "currentmodule":
                module = name
            else:
                names[f"{module}.{name}"] += 1
    return names


def terms() -> dict[str, str]:
    """Return the text of each term of the glossary; the first of those that stand twice."""
    _, *parts = re.split(r"^## (.+)$", (DOCS / "glossary.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(parts[::2]) == len(set(map(str.lower, parts[::2]))), "a term stands twice"
    return dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))


def test_each_page_is_in_one_list_of_contents() -> None:
    pages = {page.resolve() for pattern in OF_THE_SITE for page in ROOT.glob(pattern)}
    expected = Counter(pages - {DOCS / "index.md"})
    assert listed_pages() == expected, "docs/index.md, or README.md of the folder, has to list it"


@pytest.mark.parametrize("package", PUBLIC)
def test_each_public_name_is_described_once_in_the_reference(package: str) -> None:
    described = described_names()
    module = importlib.import_module(package)
    for name in module.__all__:
        places = [f"{one}.{name}" for one in PUBLIC if getattr(importlib.import_module(one), name, None)]
        assert sum(described[place] for place in places) == 1, f"{package}.{name}"


@pytest.mark.parametrize("package", PUBLIC)
def test_the_docstring_of_a_public_name_stands_for_itself(package: str) -> None:
    module = importlib.import_module(package)
    told = {name: getattr(module, name).__doc__ or "" for name in module.__all__}
    assert [name for name, doc in told.items() if "see the module" in doc.lower()] == []


def test_the_reference_describes_nothing_that_is_not_public() -> None:
    adapters = {f"concurrent.apps.integrations.{name}" for name in ADAPTERS}
    for described in described_names():
        module, _, name = described.rpartition(".")
        assert module in adapters or name in importlib.import_module(module).__all__, described


@pytest.mark.parametrize("name", ADAPTERS)
def test_each_public_name_of_an_adapter_is_described(name: str) -> None:
    pytest.importorskip(name)
    module = importlib.import_module(f"concurrent.apps.integrations.{name}")
    assert all(described_names()[f"{module.__name__}.{one}"] == 1 for one in module.__all__)


def rows_without_table(text: str) -> list[str]:
    """Return rows that stand alone, since an empty line came between them and their table."""
    lines = ["", *re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL).splitlines(), ""]
    return [
        line
        for before, line, after in zip(lines, lines[1:], lines[2:], strict=False)
        if line.startswith("|") and not before.startswith("|") and not TABLE_BEGINS.match(after)
    ]


def test_each_row_is_in_a_table() -> None:
    assert rows_without_table("| a | b |\n|---|---|\n| 1 | 2 |\n\n| 3 | 4 |\n") == ["| 3 | 4 |"]
    pages = [page for pattern in OF_THE_SITE for page in ROOT.glob(pattern)]
    alone = {page: rows_without_table(page.read_text(encoding="utf-8")) for page in pages}
    assert not {page: rows for page, rows in alone.items() if rows}


def test_terms_are_in_alphabetical_order() -> None:
    assert list(terms()) == sorted(terms(), key=str.lower)


@pytest.mark.parametrize("term", terms())
def test_a_term_is_told_in_few_words_and_leads_to_a_page_that_uses_it(term: str) -> None:
    text = terms()[term]
    links = re.findall(r"\]\(([^)#]+\.md)", text)
    assert links
    assert len(text.split()) < 70
    stem = term.lower().removesuffix("y").replace("-", "")
    pages = " ".join((DOCS / link).read_text(encoding="utf-8").lower().replace("-", "") for link in links)
    assert stem in " ".join(pages.split())
