"""What the DNA sample makes of its numbers: the most bent stretch, A-tracts, controls, and the report."""

from __future__ import annotations

import math
from array import array

import pytest

from concurrent.apps.samples.dnacurve.analysis import analysed, measured
from concurrent.apps.samples.dnacurve.app import KINETOPLAST
from concurrent.apps.samples.dnacurve.bent import a_tracts, most_bent, shortest
from concurrent.apps.samples.dnacurve.controls import control_bends, shuffled
from concurrent.apps.samples.dnacurve.curve import Windows
from concurrent.apps.samples.dnacurve.report import Findings, Run
from concurrent.apps.samples.dnacurve.sequence import read_fasta
from concurrent.apps.samples.dnacurve.tasks import DNACurveSystem, Gathered, Plan
from concurrent.apps.samples.shared.layout import Timing
from concurrent.apps.samples.shared.usage import Usage
from concurrent.scheduling import InProcessMaster

DNA = read_fasta(KINETOPLAST, skips_unknown=False).letters
IN_PHASE = "CGTCGAAAAAC" * 12
OUT_OF_PHASE = "AAAAAGCGTCCGTCGC" * 12


def findings_of(sequence: str, controls: int = 60, size: int = 60) -> Findings:
    found = measured(sequence, "trifonov", Windows())
    analysis = analysed(sequence, "trifonov", Windows(), found)
    if len(sequence) < shortest(size):
        return Findings("it", analysis, None, size, array("d"))
    bends = control_bends(sequence, range(controls), "trifonov", size)
    return Findings("it", analysis, most_bent(found.bends, size), size, bends)


def report_of(sequence: str, controls: int = 60) -> dict[str, str]:
    return {text[:12].strip(): text[12:] for text in findings_of(sequence, controls).lines()}


def test_the_most_bent_stretch_is_found_with_its_angle() -> None:
    numbers = array("d")
    for base in range(100):  # straight, but for a bend of 90 degrees from base 40 to base 50
        angle = math.radians(9 * min(10, max(0, base - 40)))
        numbers.extend((0.0, 0.0, 0.0, math.cos(angle), math.sin(angle), 0.0))
    stretch = most_bent(numbers, 10)
    assert stretch.bases == range(40, 50)
    assert stretch.degrees == pytest.approx(90)


def test_a_sequence_that_is_just_long_enough_has_one_stretch() -> None:
    sequence = DNA[: shortest(60)]
    assert most_bent(measured(sequence, "trifonov", Windows()).bends, 60).bases == range(5, 65)


@pytest.mark.parametrize(
    ("sequence", "tracts"),
    [
        ("CAAAACAAAC", [range(1, 5)]),
        ("AATTGTTTT", [range(4), range(5, 9)]),
        ("AATTAAGTTAA", [range(4)]),
        ("TTTTAAAA", [range(4), range(4, 8)]),
        ("GCGC", []),
    ],
)
def test_a_tracts_end_at_a_step_from_t_to_a(sequence: str, tracts: list[range]) -> None:
    assert a_tracts(sequence) == tracts


def test_a_control_has_the_same_letters_and_depends_on_its_number_only() -> None:
    assert sorted(shuffled(DNA, 3)) == sorted(DNA)
    assert shuffled(DNA, 3) == shuffled(DNA, 3) != shuffled(DNA, 4)
    whole = control_bends(DNA, range(10), "trifonov", 60)
    assert control_bends(DNA, range(4, 7), "trifonov", 60) == whole[4:7]


@pytest.mark.parametrize("controls", [0, 1, 50, 120])
def test_the_cluster_measures_each_control_once(controls: int) -> None:
    master = InProcessMaster()
    gathered: Gathered = master.run(DNACurveSystem(Plan(DNA, "trifonov", Windows(), 100, controls=controls)))
    assert gathered.controls == control_bends(DNA, range(controls), "trifonov", 60)
    assert master.shown == (10 + -(-controls // 50),) * 2


def test_of_the_known_sequence_the_report_says_that_it_is_bent_and_why() -> None:
    said = report_of(DNA)
    assert said["bend"] == "123 degrees from base 111 to 170, the most bent 60; straight DNA has 0"
    assert (
        said["A-tracts"] == "22 in all, 5 in these bases, 9.5 to 12.5 apart: once a helix turn, so bends add up"
    )
    assert said["verdict"] == "none of them bends as much: this DNA is bent by the order of its letters"
    assert said["ends"] == "427 \u00c5 apart, and 1396 \u00c5 along the helix"


def test_tracts_in_phase_bend_and_tracts_out_of_phase_do_not() -> None:
    bent, straight = report_of(IN_PHASE), report_of(OUT_OF_PHASE)
    assert "11 apart: once a helix turn" in bent["A-tracts"]
    assert "none of them bends as much" in bent["verdict"]
    assert straight["A-tracts"].endswith("16 apart")
    assert straight["verdict"] == "60 of 60 bend as much or more: no more bent than by chance"


def test_a_short_sequence_has_no_stretch_and_nothing_to_compare() -> None:
    said = report_of(DNA[: shortest(60) - 1])
    assert said["bend"] == "not told of fewer than 71 bases"
    assert set(said) == {"sequence", "bend", "ends"}


def test_without_controls_nothing_is_said_of_chance() -> None:
    assert not {"control", "verdict"} & set(report_of(DNA, controls=0))


@pytest.mark.parametrize(
    ("sequential_s", "is_compared"), [(None, False), (0.002, False), (0.99, False), (1.0, True)]
)
def test_times_are_compared_only_if_there_was_work(sequential_s: float | None, is_compared: bool) -> None:
    usage = Usage(0, 0, None, None, [])
    run = Run("cython", "system", Timing(sequential_s, 0.5, 20, 2), 0.0, usage, [])
    assert ("speed-up" in "\n".join(run.lines())) == is_compared


def test_a_difference_is_said_and_counts() -> None:
    run = Run("cython", "system", Timing(0.1, 0.5, 20, 2), 1e-3, Usage(0, 0, None, None, []), [])
    assert not run.is_equal
    assert "DIFFERS by 1.0e-03" in "\n".join(run.lines())
