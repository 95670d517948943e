"""Elements of pages, as HTML and as JSON."""

from __future__ import annotations

from concurrent.apps.pages.elements import element, to_html, to_json

EVIL = "<script>alert(1)</script>\"'&"


def test_an_element_becomes_html_and_json() -> None:
    made = element("p", "a ", element("a", "b", href="/?c=1&d"), None, class_="note", hidden=True, lang=None)
    assert to_html([made, "e"]) == '<p class="note" hidden="">a <a href="/?c=1&amp;d">b</a></p>e'
    assert to_json(made) == ["p", {"class": "note", "hidden": ""}, "a ", ["a", {"href": "/?c=1&d"}, "b"]]


def test_an_element_that_is_void_has_no_end() -> None:
    assert to_html([element("input", name="q", aria_label="what")]) == '<input name="q" aria-label="what">'


def test_texts_and_attributes_are_escaped() -> None:
    text = to_html([element("p", EVIL, title=EVIL)])
    assert "<script" not in text
    assert text.count('"') == 3  # two around the attribute, and one in the text
