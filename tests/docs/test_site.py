"""The site of the pages: it is built without a warning, is whole by itself, and its links lead somewhere."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest

from docs.site import made

ROOT = Path(__file__).resolve().parents[2]
BUILT_WITHIN_S = 400
NEEDED = ("sphinx", "furo", "myst_parser", "sphinx_copybutton", "joblib", "dask")


@dataclass
class Page(HTMLParser):
    """What a page names, where a link to it may lead, and what it loads."""

    ids: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value is not None}
        self.ids.update(
            value for name, value in given.items() if name == "id" or (tag == "a" and name == "name")
        )
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        if tag in ("script", "img", "iframe") and "src" in given:
            self.loads.add(given["src"])
        if tag == "link" and given.get("rel") != "canonical" and "href" in given:
            self.loads.add(given["href"])


def page_of(file: Path) -> Page:
    page = Page()
    page.feed(file.read_text(encoding="utf-8"))
    return page


def problems_of(site: Path) -> list[str]:
    """Return what is wrong with the links of a site, and what it would load from elsewhere."""
    pages = {file.resolve(): page_of(file) for file in site.rglob("*.html")}
    problems = []
    for file, page in pages.items():
        for link in sorted(page.links | page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loads and parts.scheme != "data":
                    problems.append(f"{file.name} loads {link}")
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not target.is_file():
                problems.append(f"{file.name}: {link}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                problems.append(f"{file.name}: {link}, which has no such anchor")
    return problems


@pytest.mark.timeout(BUILT_WITHIN_S)
@pytest.mark.skipif(not all(map(find_spec, NEEDED)), reason="the extra 'docs' is not installed")
def test_the_site_is_built_without_a_warning_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    site = tmp_path / "site"
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    done = subprocess.run(
        [*command, "-c", "docs/site", "-d", tmp_path / "kept", ".", site],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert problems_of(site) == []
    assert "slave-workers" in page_of(site / "docs/options.html").ids
    assert "FIRST.test(page)" in (site / "_static/language_data.js").read_text(encoding="utf-8")  # scorer.js
    assert "concurrent.apps.LocalCluster.map" in page_of(site / "docs/reference/apps.html").ids


def test_what_is_wrong_with_a_site_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<h1 id="here">A</h1><a href="#here"></a><a href="b.html#there"></a><a href="https://example.org"></a>'
        '<a href="gone.html"></a><a href="#gone"></a><img src="gone.png"><script src="https://example.org/x.js">'
        '</script><link rel="stylesheet" href="//example.org/x.css">',
        encoding="utf-8",
    )
    (tmp_path / "b.html").write_text('<a id="there"></a>', encoding="utf-8")
    assert problems_of(tmp_path) == [
        "a.html: #gone, which has no such anchor",
        "a.html loads //example.org/x.css",
        "a.html: gone.html",
        "a.html: gone.png",
        "a.html loads https://example.org/x.js",
    ]


LISTS = """
# Pages

- [A](a.md): the first, see [b](b.md)
- [A again](a.md), not a second time
- no page: [c](c.md)

## More

- [Notes](notes/README.md)
"""


def test_lists_of_links_are_tables_of_contents() -> None:
    assert made.entries_of(LISTS) == {"": [("A", "a")], "More": [("Notes", "notes/README")]}
    assert ":caption: More\n\nNotes <notes/README>\n```" in made.contents_of(LISTS)


def test_types_of_a_signature_are_shown_without_their_modules() -> None:
    signature = "f: ~collections.abc.Callable[[~P], ~a.b.T], *args: ~typing.~P"
    assert made.without_modules(signature) == "f: Callable[[P], T], *args: P"


def test_options_are_shown_in_a_table_for_each_section() -> None:
    rows = [
        SimpleNamespace(section="disk", name="size", default_text="1", doc="How large", allowed="a | b"),
        SimpleNamespace(section="disk", name="place", default_text="", doc="Where *.txt is.", allowed="<any>"),
    ]
    assert made.tables_of(rows).splitlines() == [
        "",
        "## disk",
        "",
        "| option | default | what it does |",
        "|---|---|---|",
        "| `size`{#disk-size} | `1` | How large. *Allowed: a \\| b.* |",
        "| `place`{#disk-place} |  | Where \\*.txt is. *Allowed: &lt;any>.* |",
    ]
