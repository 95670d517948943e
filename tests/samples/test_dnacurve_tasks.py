"""The DNA sample cut into tasks, and its compiled kernel against its twin."""

from __future__ import annotations

import math
import random
from array import array

import pytest

from concurrent.apps.samples.dnacurve import walk, walk_py
from concurrent.apps.samples.dnacurve.analysis import Measured, difference, measured
from concurrent.apps.samples.dnacurve.curve import Windows, points_of
from concurrent.apps.samples.dnacurve.models import MODEL_NAMES, model_named
from concurrent.apps.samples.dnacurve.tasks import DNACurveSystem, Gathered, Phases, Plan
from concurrent.scheduling import InProcessMaster

WINDOWS = Windows()
SEQUENCE = "".join(random.Random(2014).choices("ACGT", k=300))


@pytest.fixture(params=["python", "cython"])
def each_kernel(request):
    if request.param == "python":
        return walk_py
    if walk.KERNEL != "cython":
        pytest.skip("the kernel was not compiled: no C compiler or no Cython at installation")
    return walk


def system_of(sequence: str, model: str, bases_per_task: int) -> DNACurveSystem:
    return DNACurveSystem(Plan(sequence, model, WINDOWS, bases_per_task))


@pytest.mark.parametrize("bases_per_task", [1, 2, 7, 20, 299, 300, 5000])
@pytest.mark.parametrize("model", ["trifonov", "trinucleotide"])
def test_a_sequence_in_blocks_is_measured_as_the_whole_one(model, bases_per_task):
    master = InProcessMaster()
    gathered: Gathered = master.run(system_of(SEQUENCE, model, bases_per_task))
    assert difference(gathered.measured, measured(SEQUENCE, model, WINDOWS)) < 1e-9
    tasks = 2 * math.ceil(300 / bases_per_task)
    assert master.shown == (tasks, tasks)


@pytest.mark.parametrize("size", [2, 10, 11, 29, 31])
def test_blocks_of_a_sequence_shorter_than_the_windows_are_measured_too(size):
    gathered: Gathered = InProcessMaster().run(system_of(SEQUENCE[:size], "desantis", 3))
    assert difference(gathered.measured, measured(SEQUENCE[:size], "desantis", WINDOWS)) < 1e-9


def test_the_order_in_which_results_come_does_not_matter():
    phases = Phases(Plan(SEQUENCE, "calladine", WINDOWS, 11))
    ahead = list(phases.first_tasks())
    while ahead:
        task = ahead.pop(random.Random(len(ahead)).randrange(len(ahead)))
        ahead += phases.take(task, task())
    assert phases.is_complete
    assert difference(phases.measured(), measured(SEQUENCE, "calladine", WINDOWS)) < 1e-9


def test_the_second_phase_begins_with_the_last_result_of_the_first():
    phases = Phases(Plan(SEQUENCE, "straight", WINDOWS, 100))
    first, second, third = phases.first_tasks()
    assert list(phases.take(third, third())) == []
    assert list(phases.take(first, first())) == []
    assert len(list(phases.take(second, second()))) == 3
    assert not phases.is_complete


def test_an_error_of_a_task_ends_the_system():
    system = system_of(SEQUENCE, "straight", 50)
    master = InProcessMaster()
    system.init_system(master)
    task = next(system.phases.first_tasks())
    with pytest.raises(ArithmeticError):
        system.task_finished(master, task, array("d"), ArithmeticError())


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_both_kernels_agree_to_the_last_bit(model):
    if walk.KERNEL != "cython":
        pytest.skip("the kernel was not compiled: no C compiler or no Cython at installation")
    steps, turns = model_named(model).steps(SEQUENCE), model_named(model).turns
    frames = walk.walked(steps, turns)
    assert frames == walk_py.walked(steps, turns)
    assert walk.placed(frames[:12], frames) == walk_py.placed(frames[:12], frames)
    rest = points_of(frames), 0, len(SEQUENCE), range(len(SEQUENCE)), (3, 1, 12)
    assert walk.bends(*rest) == walk_py.bends(*rest)


def test_a_straight_helix_has_no_bend_and_the_rise_of_its_model(each_kernel):
    model = model_named("straight")
    frames = each_kernel.walked(model.steps(SEQUENCE), model.turns)
    numbers = each_kernel.bends(points_of(frames), 0, 300, range(300), WINDOWS)
    assert not any(numbers[column] for column in range(3) for _ in numbers[column::6])
    assert frames[11] == pytest.approx(299 * 3.38)


def test_a_ring_has_the_curvature_of_its_radius(each_kernel):
    radius, size = 50.0, 60
    points = array("d")
    for angle in (2 * math.pi * base / size for base in range(size)):
        tangent = (-math.sin(angle), math.cos(angle), 0.0)
        points.extend((radius * math.cos(angle), radius * math.sin(angle), 0.0, *tangent))
    numbers = each_kernel.bends(points, 0, size, range(20, 40), (10, 2, 15))
    assert list(numbers[0::6]) == pytest.approx([1 / radius] * 20)
    assert list(numbers[1::6]) == pytest.approx([4 * 2 * math.pi / size] * 20)
    assert list(numbers[2::6]) == pytest.approx([math.pi] * 20, rel=1e-6)


def test_the_compiled_kernel_refuses_what_it_would_read_past():
    if walk.KERNEL != "cython":
        pytest.skip("the kernel was not compiled: no C compiler or no Cython at installation")
    points = array("d", bytes(48 * 40))
    with pytest.raises(ValueError, match="points are missing"):
        walk.bends(points, 0, 100, range(30, 31), WINDOWS)
    with pytest.raises(ValueError, match="no part of the sequence"):
        walk.bends(points, 0, 40, range(30, 41), WINDOWS)
    with pytest.raises(IndexError, match="has no turn"):
        walk.walked(b"\x02", array("d", bytes(160)))
    with pytest.raises(TypeError, match="array of 'd'"):
        walk.walked(b"\x00", array("f", bytes(40)))


def test_a_difference_of_measurements_is_found():
    one = measured(SEQUENCE, "trifonov", WINDOWS)
    other = Measured(one.frames, array("d", one.bends))
    other.bends[7] += 0.5
    assert difference(one, other) == pytest.approx(0.5)
