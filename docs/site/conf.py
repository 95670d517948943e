"""How Sphinx makes the site of the pages: ``python dev.py site``, see CONTRIBUTING.md.

The source is the checkout itself, so that links between pages, samples and files lead to the same places in
both.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes

from concurrent.core import Environment

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import made  # noqa: E402

project = "Concurrent"
author = "The Concurrent authors"
project_copyright = "2026, The Concurrent authors"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/**.md",
    "samples/*/README.md",
    "benchmarks/README.md",
    "native/README.md",
]
exclude_patterns = [".*", "build", "dist", "tests", "concurrent", "docs/site"]  # not even looked into
CONTENTS = ("docs/index", "docs/needs/README", "docs/design/README", "docs/reference/README")
"""Pages whose lists of links are tables of contents."""

highlight_language = "none"  # of blocks that do not say what they are
myst_heading_anchors = 6
myst_enable_extensions = ["attrs_inline"]
copybutton_exclude = ".linenos, .gp, .go"  # of terminals only what is typed is copied
copybutton_prompt_text = r"\w+\$ "
copybutton_prompt_is_regexp = True

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
autodoc_default_options = {
    "members": True,
    # What comes from these is known, or of no use to a reader.
    "inherited-members": "ABC, AutoBatchingMixin, BaseException, Component, Enum, Exception, Executor, Future, "
    "Generic, Interface, Protocol, object, tuple",
}
nitpicky = True  # a method, function or error that a docstring names is there
nitpick_ignore = [("py:exc", "concurrent.futures.CancelledError")]
nitpick_ignore_regex = [("py:class", ".*")]  # annotations name inner classes too
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = "Concurrent"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_search_scorer = str(HERE / "scorer.js")
html_copy_source = False
html_show_sphinx = False


def complete(_app: Any, docname: str, source: list[str]) -> None:
    """Add to the text of a page what is made for it."""
    if docname in CONTENTS:
        source[0] += made.contents_of(source[0])
    elif docname == "docs/options":
        source[0] += made.tables_of(Environment(variables={"CONCURRENT_SYSTEM_FILE": "none"}).config.items())


def shorten_types(_app: Any, document: nodes.document) -> None:
    """Show names only of types that Sphinx could not read, those of parameter specifications for example."""
    for signature in document.findall(addnodes.desc_signature):
        for text in list(signature.findall(nodes.Text)):
            if "~" in text:
                text.parent.replace(text, nodes.Text(made.without_modules(text)))


def lead_to_the_first_page(app: Any, _error: Exception | None) -> None:
    """Have the folder of the site open at its first page."""
    target = f"{root_doc}.html"
    Path(app.outdir, "index.html").write_text(
        f'<!doctype html><meta charset="utf-8"><title>{project}</title>'
        f'<meta http-equiv="refresh" content="0; url={target}"><a href="{target}">{project}</a>\n',
        encoding="utf-8",
    )


def setup(app: Any) -> None:
    """Take part in the build."""
    app.connect("source-read", complete)
    app.connect("doctree-read", shorten_types)
    app.connect("build-finished", lead_to_the_first_page)
