"""The kernel of the Mandelbrot sample: known points, and the compiled one against its twin."""

from array import array

import pytest

from concurrent.apps.samples.mandelbrot import kernel, kernel_py
from concurrent.apps.samples.mandelbrot.counts import COUNT_MAX, packed, unpacked
from concurrent.apps.samples.mandelbrot.sequential import count_picture
from concurrent.apps.samples.mandelbrot.view import View

WHOLE = View(60, 41, -0.65, 0.0, 3.3, 300)
SEAHORSES = View(48, 32, -0.743643887, 0.131825904, 0.002, 1500)


def skip_without_compiled_kernel():
    if kernel.KERNEL != "cython":
        pytest.skip("the kernel was not compiled: no C compiler or no Cython at installation")


@pytest.fixture(params=["python", "cython"])
def each_kernel(request):
    if request.param == "python":
        return kernel_py
    skip_without_compiled_kernel()
    return kernel


@pytest.mark.parametrize(
    ("point", "count"),
    [((0.0, 0.0), 500), ((-1.0, 0.0), 500), ((0.0, 1.0), 500), ((2.0, 0.0), 2), ((3.0, 0.0), 1)],
)
def test_known_points_escape_when_they_should(each_kernel, point, count):
    assert each_kernel.escape_count(*point, 500) == count


def test_rows_are_the_points_one_by_one(each_kernel):
    rows = range(10, 13)
    counts = unpacked(each_kernel.count_rows(WHOLE.xs(), WHOLE.ys(rows), WHOLE.iterations))
    expected = [each_kernel.escape_count(x, y, WHOLE.iterations) for x, y in WHOLE.points(rows)]
    assert list(counts) == expected


def test_more_iterations_than_two_bytes_hold_are_refused(each_kernel):
    with pytest.raises(OverflowError):
        each_kernel.count_rows(array("d", [0.0]), array("d", [0.0]), COUNT_MAX + 1)


def test_the_compiled_kernel_refuses_arrays_of_other_numbers():
    skip_without_compiled_kernel()
    with pytest.raises(TypeError, match="arrays of 'd'"):
        kernel.count_rows(array("f", [0.0]), array("d", [0.0]), 10)


@pytest.mark.parametrize("view", [WHOLE, SEAHORSES], ids=["whole", "seahorses"])
def test_both_kernels_agree_on_every_pixel(view):
    skip_without_compiled_kernel()
    arguments = (view.xs(), view.ys(range(view.height)), view.iterations)
    assert kernel.count_rows(*arguments) == kernel_py.count_rows(*arguments)


def test_the_whole_set_mirrors_itself_at_the_real_axis():
    counts = unpacked(count_picture(WHOLE))
    rows = [counts[start : start + WHOLE.width] for start in range(0, len(counts), WHOLE.width)]
    assert rows == rows[::-1]


@pytest.mark.parametrize("rows_per_block", [1, 7, 41, 1000])
def test_blocks_tile_the_picture(rows_per_block):
    blocks = list(WHOLE.blocks(rows_per_block))
    assert [row for rows in blocks for row in rows] == list(range(WHOLE.height))
    assert len(blocks) == WHOLE.block_count(rows_per_block)


def test_the_pixel_in_the_middle_is_the_centre():
    view = View(3, 5, -0.5, 0.25, 6.0, 10)
    assert list(view.xs()) == [-2.5, -0.5, 1.5]
    assert list(view.ys(range(5))) == [4.25, 2.25, 0.25, -1.75, -3.75]


def test_packed_counts_have_the_lower_byte_first():
    assert packed([1, 258]) == b"\x01\x00\x02\x01"
    assert list(unpacked(packed([0, COUNT_MAX]))) == [0, COUNT_MAX]
