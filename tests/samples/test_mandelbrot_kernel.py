"""The kernel of the Mandelbrot sample: known points, and the compiled one against its twin."""

import math
from array import array
from itertools import pairwise

import pytest

from concurrent.apps.samples.mandelbrot import kernel, kernel_py
from concurrent.apps.samples.mandelbrot.counts import INSIDE, ITERATIONS_MAX, PARTS, packed, unpacked
from concurrent.apps.samples.mandelbrot.sequential import count_picture
from concurrent.apps.samples.mandelbrot.view import Tile, View

WHOLE = View(60, 41, -0.65, 0.0, 3.3, 300)
SEAHORSES = View(48, 32, -0.743643887, 0.131825904, 0.002, 1500)
DEEP = View(24, 16, -0.743643887037151, 0.131825904205330, 5e-11, 4000)
FAR_OUT = View(9, 7, 0.0, 0.0, 1e200, 10)


def skip_without_compiled_kernel():
    if kernel.KERNEL != "cython":
        pytest.skip("the kernel was not compiled: no C compiler or no Cython at installation")


@pytest.fixture(params=["python", "cython"])
def each_kernel(request):
    if request.param == "python":
        return kernel_py
    skip_without_compiled_kernel()
    return kernel


def exact_count(c: complex) -> float:
    """Return mu by the definition, with a bailout so large that the next step changes nothing."""
    z, steps = 0j, 0
    while abs(z) <= 1e50:
        z, steps = z * z + c, steps + 1
    return steps + 1 - math.log2(math.log(abs(z)) / math.log(256))


@pytest.mark.parametrize("point", [(0.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (-2.0, 0.0)])
def test_points_of_the_set_do_not_escape(each_kernel, point):
    assert each_kernel.smooth_count(*point, 500) == INSIDE


@pytest.mark.parametrize("point", [(2.0, 0.0), (3.0, 0.0), (0.3, 0.6), (-0.7436, 0.1318), (0.26, 0.0)])
def test_known_points_escape_as_the_formula_says(each_kernel, point):
    count = each_kernel.smooth_count(*point, 5000) / PARTS
    assert count == pytest.approx(exact_count(complex(*point)), abs=1.5 / PARTS)


def test_a_point_escapes_only_when_it_is_given_enough_iterations(each_kernel):
    steps = int(each_kernel.smooth_count(0.26, 0.0, 5000) / PARTS)
    assert each_kernel.smooth_count(0.26, 0.0, steps) == INSIDE
    assert each_kernel.smooth_count(0.26, 0.0, steps + 1) == each_kernel.smooth_count(0.26, 0.0, 5000)


def test_counts_pass_smoothly_from_one_band_to_the_next(each_kernel):
    counts = [each_kernel.smooth_count(0.5 + step / 4000, 0.0, 100) for step in range(4000)]
    assert {count // PARTS for count in counts} >= {5, 6, 7}
    assert all(0 <= before - after <= 1 for before, after in pairwise(counts))


@pytest.mark.parametrize("point", [(1e6, 0.0), (0.0, -1e200), (1e308, 1e308)])
def test_points_far_out_are_not_taken_for_the_inside(each_kernel, point):
    assert 1 <= each_kernel.smooth_count(*point, 10) <= PARTS


def test_a_tile_is_its_points_one_by_one(each_kernel):
    tile = Tile(range(10, 13), range(20, 31))
    counts = unpacked(each_kernel.count_points(WHOLE.xs(tile.columns), WHOLE.ys(tile.rows), 300))
    assert list(counts) == [each_kernel.smooth_count(x, y, 300) for x, y in WHOLE.points(tile)]


def test_more_iterations_than_fit_into_a_count_are_refused(each_kernel):
    with pytest.raises(OverflowError):
        each_kernel.count_points(array("d", [0.0]), array("d", [0.0]), ITERATIONS_MAX + 1)


def test_the_compiled_kernel_refuses_arrays_of_other_numbers():
    skip_without_compiled_kernel()
    with pytest.raises(TypeError, match="arrays of 'd'"):
        kernel.count_points(array("f", [0.0]), array("d", [0.0]), 10)


@pytest.mark.parametrize("view", [WHOLE, SEAHORSES, DEEP, FAR_OUT], ids=str)
def test_both_kernels_agree_on_every_pixel(view):
    skip_without_compiled_kernel()
    arguments = (view.xs(range(view.width)), view.ys(range(view.height)), view.iterations)
    assert kernel.count_points(*arguments) == kernel_py.count_points(*arguments)


def test_the_whole_set_mirrors_itself_at_the_real_axis():
    counts = unpacked(count_picture(WHOLE))
    rows = [counts[start : start + WHOLE.width] for start in range(0, len(counts), WHOLE.width)]
    assert rows == rows[::-1]


@pytest.mark.parametrize("rows", [1, 7, 41, 1000])
@pytest.mark.parametrize("columns", [0, 1, 7, 60, 1000])
def test_tiles_cover_each_pixel_once(rows, columns):
    pixels = [
        (row, column) for tile in WHOLE.tiles(rows, columns) for row in tile.rows for column in tile.columns
    ]
    assert sorted(pixels) == [(row, column) for row in range(WHOLE.height) for column in range(WHOLE.width)]


def test_the_pixel_in_the_middle_is_the_centre():
    view = View(3, 5, -0.5, 0.25, 6.0, 10)
    assert list(view.xs(range(3))) == [-2.5, -0.5, 1.5]
    assert list(view.ys(range(5))) == [4.25, 2.25, 0.25, -1.75, -3.75]


def test_pixels_are_told_apart_as_far_as_doubles_reach():
    limit = View(101, 1, -0.75, 0.0, 101 * 2.0**-53, 10)
    assert limit.step == limit.step_min
    assert len(set(limit.xs(range(101)))) == 101
    deeper = limit._replace(view_width=limit.view_width / 4)
    assert deeper.step < deeper.step_min
    assert len(set(deeper.xs(range(101)))) < 50


def test_packed_counts_have_the_lowest_byte_first():
    assert packed([1, 0x01020304]) == b"\x01\0\0\0\x04\x03\x02\x01"
    assert list(unpacked(packed([INSIDE, 2**32 - 1]))) == [INSIDE, 2**32 - 1]
