"""The picture of the DNA sample: no text covers another."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from concurrent.apps.samples.dnacurve.analysis import analysed, measured
from concurrent.apps.samples.dnacurve.app import KINETOPLAST
from concurrent.apps.samples.dnacurve.bent import a_tracts, most_bent, shortest
from concurrent.apps.samples.dnacurve.curve import Windows
from concurrent.apps.samples.dnacurve.labels import Box, free_place, text_box
from concurrent.apps.samples.dnacurve.plot import HEIGHT, WIDTH, write_svg
from concurrent.apps.samples.dnacurve.sequence import read_fasta

SVG = "{http://www.w3.org/2000/svg}"
DNA = read_fasta(KINETOPLAST, skips_unknown=False).letters
SEQUENCES = {
    "kinetoplast": DNA,
    "short": DNA[:50],
    "one step": "AC",
    "a straight one": "G" * 300,
    "a ring": "CGTCGAAAAAC" * 20,
    "long": DNA * 30,
}


def draw(folder: Path, sequence: str) -> ElementTree.Element:
    found = measured(sequence, "trifonov", Windows())
    stretch = most_bent(found.bends, 60) if len(sequence) >= shortest(60) else None
    analysis = analysed(sequence, "trifonov", Windows(), found)
    write_svg(folder / "it.svg", f"kinetoplast: {len(sequence)} bases, of someone", analysis, stretch)
    return ElementTree.parse(folder / "it.svg").getroot()


def box_of(element: ElementTree.Element) -> Box:
    x, y, size = (float(element.attrib[name]) for name in ("x", "y", "font-size"))
    return text_box(x, y, element.text or "", size, element.attrib["text-anchor"])


@pytest.mark.parametrize("name", SEQUENCES)
def test_no_text_covers_another_or_leaves_the_picture(tmp_path: Path, name: str) -> None:
    boxes = {
        index: box_of(text) for index, text in enumerate(draw(tmp_path, SEQUENCES[name]).iter(f"{SVG}text"))
    }
    assert len(boxes) > 15
    pairs = itertools.combinations(boxes.values(), 2)
    assert [(one, other) for one, other in pairs if one.meets(other)] == []
    for box in boxes.values():
        assert box.left >= 0
        assert box.top >= 0
        assert box.left + box.width <= WIDTH
        assert box.top + box.height <= HEIGHT


def test_the_stretch_and_each_a_tract_are_marked(tmp_path: Path) -> None:
    rectangles = list(draw(tmp_path, DNA).iter(f"{SVG}rect"))
    assert len(rectangles) == 1 + 1 + len(a_tracts(DNA))  # the paper, the stretch, the tracts


def test_the_picture_that_comes_along_is_what_is_drawn_today(tmp_path: Path) -> None:
    texts = [text.text for text in draw(tmp_path, DNA).iter(f"{SVG}text")]
    shown = ElementTree.parse(KINETOPLAST.with_suffix(".svg")).getroot()
    assert [text.text for text in shown.iter(f"{SVG}text")][1:] == texts[1:]


def test_a_text_goes_where_there_is_room() -> None:
    taken = [text_box(x, y, "xx", 10) for x in range(-60, 61, 10) for y in range(-60, 0, 5)]
    x, y = free_place((0.0, 0.0), "5'", 10, taken, [])
    box = text_box(x, y, "5'", 10)
    assert not any(map(box.meets, taken))
    drawn = [(float(across), box.top + 5) for across in range(-100, 100)]
    x, y = free_place((0.0, 0.0), "5'", 10, taken, drawn)
    assert not any(map(text_box(x, y, "5'", 10).holds, drawn))


def test_boxes_that_only_touch_do_not_meet() -> None:
    assert not Box(0, 0, 10, 10).meets(Box(10, 0, 10, 10))
    assert Box(0, 0, 10, 10).meets(Box(9, 9, 10, 10))
