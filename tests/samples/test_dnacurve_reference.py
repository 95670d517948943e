"""The DNA sample gives what the reference implementation gives: dnacurve of the Python Package Index."""

from __future__ import annotations

import math
import random
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps.samples.dnacurve.analysis import Analysis, analysed, measured
from concurrent.apps.samples.dnacurve.curve import Windows
from concurrent.apps.samples.dnacurve.models import MODEL_NAMES
from concurrent.apps.samples.dnacurve.table import write_csv

if sys.version_info < (3, 11):
    pytest.skip("dnacurve needs Python 3.11", allow_module_level=True)
dnacurve = pytest.importorskip("dnacurve", exc_type=ModuleNotFoundError)

CLOSE = 1e-6
WINDOWS = [Windows(), Windows(1, 1, 10), Windows(20, 3, 20), Windows(7, 2, 13)]


def random_sequence(length: int, seed: int = 2014) -> str:
    return "".join(random.Random(f"{seed} {length}").choices("ACGT", k=length))


SEQUENCES = {
    "50 bases": random_sequence(50),
    "51 bases": random_sequence(51),
    "500 bases": random_sequence(500),
    "the sample's": "ATGCAAATTG" * 30,
    "phased A-tracts": "CGAAAAAACG" * 40,
}


def ours(sequence: str, model: str, windows: Windows) -> Analysis:
    return analysed(sequence, model, windows, measured(sequence, model, windows))


def reference(sequence: str, model: str, windows: Windows) -> Any:
    sizes = dict(zip(("curvature_window", "bend_window", "curve_window"), windows, strict=True))
    return dnacurve.CurvedDNA(sequence, model, maxlen=len(sequence), **sizes)


def error_of(found: array[float], expected: Sequence[float]) -> float:
    """Return the largest error, relative to the value where that is above 1, for numbers near 0 have noise."""
    pairs = zip(found, map(float, expected), strict=True)
    return max(abs(a - b) / max(1.0, abs(b)) for a, b in pairs)


def distances(numbers: Sequence[float]) -> array[float]:
    """Return how far each point is from some of them: that is the same however the shape is turned."""
    points = [tuple(map(float, numbers[at : at + 3])) for at in range(0, len(numbers), 3)]
    return array("d", [math.dist(one, other) for one in points[::20] for other in points])


def errors_of(sequence: str, model: str, windows: Windows = WINDOWS[0]) -> dict[str, float]:
    """Return the largest error of each quantity."""
    analysis, expected = ours(sequence, model, windows), reference(sequence, model, windows)
    curves = zip(("curvature", "bend", "curve"), expected.curvature, strict=True)
    errors = {name: error_of(getattr(analysis, name), values) for name, values in curves}
    for found, values in zip(analysis.shape, expected.coordinates[..., :3], strict=True):
        errors["shape"] = max(errors.get("shape", 0.0), error_of(found, values.ravel()))
    return errors


@pytest.mark.parametrize("model", MODEL_NAMES)
@pytest.mark.parametrize("name", SEQUENCES)
def test_all_models_agree_with_the_reference(model: str, name: str) -> None:
    errors = errors_of(SEQUENCES[name], model)
    assert max(errors.values()) < CLOSE, errors


@pytest.mark.parametrize("sequence", ["A" * 60, "GC" * 60])
@pytest.mark.parametrize("model", MODEL_NAMES)
def test_a_regular_helix_is_that_of_the_reference_but_for_how_it_is_turned(model: str, sequence: str) -> None:
    """Several of its points are equally far from the line of its ends; noise decides for the reference."""
    analysis, expected = ours(sequence, model, Windows()), reference(sequence, model, Windows())
    for found, values in zip(
        (analysis.curvature, analysis.bend, analysis.curve), expected.curvature, strict=True
    ):
        assert error_of(found, values) < CLOSE
    points = [number for part in analysis.shape[:3] for number in part]
    assert error_of(distances(points), distances(expected.coordinates[:3, :, :3].ravel())) < CLOSE


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_all_models_agree_with_the_reference_on_thousands_of_bases(model: str) -> None:
    errors = errors_of(random_sequence(5000), model)
    assert max(errors.values()) < CLOSE, errors


@pytest.mark.parametrize("windows", WINDOWS)
@pytest.mark.parametrize("model", ["trifonov", "nucleosome"])
def test_all_windows_agree_with_the_reference(model: str, windows: Windows) -> None:
    errors = errors_of(random_sequence(130), model, windows)
    assert max(errors.values()) < CLOSE, errors


@pytest.mark.parametrize("length", [3, 4, 9, 10, 11, 12, 19, 20, 21, 29, 30, 31, 40, 41])
def test_short_sequences_that_windows_reach_over_agree_with_the_reference(length: int) -> None:
    errors = errors_of(random_sequence(length), "desantis")
    assert max(errors.values()) < CLOSE, errors


@pytest.mark.parametrize("seed", range(30))
def test_helices_that_bend_back_beyond_their_end_agree_with_the_reference(seed: int) -> None:
    sequence = random_sequence(1200, seed)
    try:
        expected_exists = reference(sequence, "trifonov", Windows()) is not None
    except ValueError as error:  # it takes the root of a number that noise has made negative
        pytest.skip(f"the reference has no answer: {error}")
    assert expected_exists
    errors = errors_of(sequence, "trifonov")
    assert max(errors.values()) < CLOSE, errors


def test_the_table_has_the_columns_and_values_of_the_reference(tmp_path: Path) -> None:
    sequence = random_sequence(80)
    write_csv(tmp_path / "ours.csv", ours(sequence, "desantis", WINDOWS[0]))
    ours_text = (tmp_path / "ours.csv").read_bytes().decode("ascii")
    found = [line.split(",") for line in ours_text.split("\r\n")]
    expected = [line.split(",") for line in reference(sequence, "desantis", WINDOWS[0]).csv().split("\n")]
    assert found[0] == expected[0]
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    for row, expected_row in zip(found[1:-1], expected[1:-1], strict=True):
        assert list(map(float, row[2:])) == pytest.approx(list(map(float, expected_row[2:])), abs=1.1e-5)


def test_the_models_have_the_angles_of_the_reference() -> None:
    for name in MODEL_NAMES:
        expected = dnacurve.Model(name)
        analysis = ours("ACGT" * 5, name, Windows())
        assert analysis.model.order == expected.order
        assert math.isclose(analysis.model.rise, expected.rise)
        groups = sorted(group for group in expected.matrices if group is not None)
        for kind, group in enumerate(groups):
            turn = analysis.model.turns[10 * kind : 10 * kind + 9]
            assert error_of(turn, expected.matrices[group].T[:3, :3].ravel()) < 1e-15


def test_every_model_of_the_reference_is_there() -> None:
    assert sorted(MODEL_NAMES) == sorted(name.lower() for name in dnacurve.MODELS)
