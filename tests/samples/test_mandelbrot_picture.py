"""The tasks, the picture and the report of the Mandelbrot sample, without a cluster."""

import pickle
from itertools import chain, pairwise

import pytest
from PIL import Image

from concurrent.apps.samples.mandelbrot.counts import PARTS, Picture, unpacked
from concurrent.apps.samples.mandelbrot.image import colour_of, write_png
from concurrent.apps.samples.mandelbrot.report import Run
from concurrent.apps.samples.mandelbrot.sequential import Baseline, count_picture
from concurrent.apps.samples.mandelbrot.tasks import MandelbrotSystem, make_tasks
from concurrent.apps.samples.mandelbrot.view import View
from concurrent.apps.samples.shared.layout import Timing
from concurrent.apps.samples.shared.usage import Usage
from concurrent.scheduling import InProcessMaster

VIEW = View(33, 22, -0.65, 0.0, 3.3, 200)
TILES = VIEW.tiles(5, 0)
CUTS = pytest.mark.parametrize(("rows", "columns"), [(5, 0), (22, 0), (1, 33), (22, 1), (7, 10), (50, 50)])
FLAVOURS = pytest.mark.parametrize("data", ["optimized", "plain"])


def sequential_counts():
    return count_picture(VIEW)


def joined(done):
    """Return the counts of a picture from tasks that came home, and their results."""
    picture = Picture(VIEW)
    for task, result in done:
        picture.put(task.tile, result)
    assert picture.tile_count == len(done)
    return picture.counts


def run_task(task):
    """Do what a worker does; return the task as it comes home, and its result."""
    task = pickle.loads(pickle.dumps(task))
    result = task()
    task.clean_up()
    return pickle.loads(pickle.dumps((task, result)))


@FLAVOURS
@CUTS
def test_plain_tasks_give_the_counts_of_the_sequential_run(data, rows, columns):
    done = [run_task(task) for task in make_tasks(VIEW, VIEW.tiles(rows, columns), data)]
    assert joined(done) == sequential_counts()


@FLAVOURS
@CUTS
def test_the_task_system_gives_the_counts_of_the_sequential_run_and_shows_progress(data, rows, columns):
    tiles = VIEW.tiles(rows, columns)
    master = InProcessMaster()
    assert bytes(master.run(MandelbrotSystem(VIEW, tiles, data))) == sequential_counts()
    assert master.shown == (len(tiles), len(tiles))


def test_a_task_system_is_small_until_it_runs():
    view = VIEW._replace(width=3000, height=3000)
    assert len(pickle.dumps(MandelbrotSystem(view, view.tiles(1000, 0), "optimized"))) < 1000


@pytest.mark.parametrize(
    ("count", "rows", "tiles"), [(4, 6, 4), (22, 1, 22), (100, 1, 22), (1, 22, 1), (0, 22, 1)]
)
def test_a_picture_is_cut_into_about_as_many_tiles_as_wanted(count, rows, tiles):
    assert VIEW.rows_for(count) == rows
    assert len(VIEW.tiles(rows, 0)) == tiles


def test_the_order_in_which_tiles_come_home_does_not_matter():
    done = [run_task(task) for task in make_tasks(VIEW, VIEW.tiles(5, 7), "optimized")]
    assert joined(done[::-1]) == sequential_counts()


def test_a_task_that_fails_ends_the_system_with_its_error():
    system = MandelbrotSystem(VIEW, TILES, "optimized")
    (task, *_) = make_tasks(VIEW, TILES, "optimized")
    with pytest.raises(ZeroDivisionError):
        system.task_finished(InProcessMaster(), task, None, ZeroDivisionError())


def test_optimized_tasks_move_a_small_part_of_what_plain_ones_move():
    size_by_data = {}
    for data in ("optimized", "plain"):
        (task,) = make_tasks(VIEW, VIEW.tiles(VIEW.height, 0), data)
        size_by_data[data] = len(pickle.dumps(task)) + len(pickle.dumps(run_task(task)))
    assert size_by_data["optimized"] * 8 < size_by_data["plain"]


def test_the_picture_has_the_colour_of_each_count(tmp_path):
    path = tmp_path / "picture.png"
    counts = sequential_counts()
    write_png(path, VIEW, counts)
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (VIEW.width, VIEW.height))
        pixels = image.tobytes()
    assert pixels == b"".join(colour_of(count) for count in unpacked(counts))


def test_only_the_inside_is_black():
    assert colour_of(0) == bytes(3)
    assert bytes(3) not in {colour_of(count) for count in range(1, 1000 * PARTS, 7)}


def test_colours_have_no_bands():
    colours = [colour_of(count) for count in range(PARTS, 100 * PARTS)]
    steps = (zip(one, other, strict=True) for one, other in pairwise(colours))
    assert max(abs(a - b) for a, b in chain.from_iterable(steps)) <= 2


USAGE = Usage(1000, 2_000_000, 40 << 20, 50 << 20, [60 << 20])


def a_run(*, sequential_s=1.5, parallel_s=0.5, workers=4, is_identical=True):
    run = Run(
        kernel="cython",
        mode="system",
        data="optimized",
        timing=Timing(sequential_s, parallel_s, 64, workers),
        is_identical=is_identical,
        usage=USAGE,
        picture="/tmp/picture.png",
    )
    return "\n".join(run.lines())


def test_the_report_compares_with_the_sequential_run_and_says_what_was_used():
    text = a_run()
    assert "1.500 s, counts identical" in text
    assert "P = 0.67 from S = 2.4 on N = 8" in text
    assert "1,000 bytes of tasks and 2,000,000 of results" in text
    assert "/tmp/picture.png" in text


def test_the_report_says_loudly_that_counts_differ():
    assert "counts DIFFER" in a_run(is_identical=False)


@pytest.mark.parametrize("height", [1, 2, 7])
def test_two_halves_in_one_process_are_compared_with_the_whole_picture(height):
    view = VIEW._replace(height=height)
    baseline = Baseline(view)
    baseline.count_half()
    counts = count_picture(view)
    assert not baseline.is_identical(counts) or height == 1
    baseline.count_half()
    assert baseline.seconds > 0
    assert baseline.is_identical(counts)
    assert not baseline.is_identical(counts[:-4])
    for row in range(height):
        wrong = bytearray(counts)
        wrong[len(counts) // height * row] ^= 1
        assert not baseline.is_identical(bytes(wrong))
