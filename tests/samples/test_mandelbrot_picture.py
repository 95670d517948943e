"""The tasks, the picture and the report of the Mandelbrot sample, without a cluster."""

import pickle

import pytest
from PIL import Image

from concurrent.apps.samples.mandelbrot.counts import joined, unpacked
from concurrent.apps.samples.mandelbrot.image import palette, write_png
from concurrent.apps.samples.mandelbrot.report import Run
from concurrent.apps.samples.mandelbrot.sequential import count_picture
from concurrent.apps.samples.mandelbrot.tasks import MandelbrotSystem, make_tasks
from concurrent.apps.samples.mandelbrot.view import View
from concurrent.scheduling import InProcessMaster

VIEW = View(33, 22, -0.65, 0.0, 3.3, 200)
FLAVOURS = pytest.mark.parametrize("data", ["optimized", "plain"])


def sequential_counts():
    return count_picture(VIEW)


def run_task(task):
    """Do what a worker does; return the task as it comes home, and its result."""
    task = pickle.loads(pickle.dumps(task))
    result = task()
    task.clean_up()
    return pickle.loads(pickle.dumps((task, result)))


@FLAVOURS
def test_plain_tasks_give_the_counts_of_the_sequential_run(data):
    done = [run_task(task) for task in make_tasks(VIEW, 5, data)]
    assert joined({task.first_row: result for task, result in done}) == sequential_counts()


@FLAVOURS
def test_the_task_system_gives_the_counts_of_the_sequential_run(data):
    assert joined(InProcessMaster().run(MandelbrotSystem(VIEW, 5, data))) == sequential_counts()


def test_the_order_in_which_blocks_come_home_does_not_matter():
    done = [run_task(task) for task in make_tasks(VIEW, 5, "optimized")]
    assert joined({task.first_row: result for task, result in reversed(done)}) == sequential_counts()


def test_a_task_that_fails_ends_the_system_with_its_error():
    system = MandelbrotSystem(VIEW, 5, "optimized")
    (task, *_) = system.generate_tasks(InProcessMaster())
    with pytest.raises(ZeroDivisionError):
        system.task_finished(InProcessMaster(), task, None, ZeroDivisionError())


def test_optimized_tasks_move_a_small_part_of_what_plain_ones_move():
    size_by_data = {}
    for data in ("optimized", "plain"):
        (task,) = make_tasks(VIEW, VIEW.height, data)
        size_by_data[data] = len(pickle.dumps(task)) + len(pickle.dumps(run_task(task)))
    assert size_by_data["optimized"] * 10 < size_by_data["plain"]


def test_the_picture_has_the_colour_of_each_count(tmp_path):
    path = tmp_path / "picture.png"
    counts = sequential_counts()
    write_png(path, VIEW, counts)
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (VIEW.width, VIEW.height))
        pixels = image.tobytes()
    colours = palette(VIEW.iterations)
    assert pixels == b"".join(colours[count] for count in unpacked(counts))


def test_only_the_inside_is_black():
    colours = palette(1000)
    assert len(colours) == 1001
    assert colours[1000] == bytes(3)
    assert bytes(3) not in colours[:1000]


def a_run(**changes):
    values = {
        "kernel": "cython",
        "mode": "system",
        "data": "optimized",
        "tasks": 64,
        "workers": 4,
        "parallel_s": 0.5,
        "sequential_s": 1.5,
        "is_identical": True,
        "picture": "/tmp/picture.png",
    }
    return "\n".join(Run(**{**values, **changes}).lines())


def test_the_report_compares_with_the_sequential_run():
    text = a_run()
    assert "1.50 s, counts identical" in text
    assert "3.00, efficiency 75% of 4 workers" in text
    assert "P = 0.89" in text
    assert "/tmp/picture.png" in text


def test_the_report_says_loudly_that_counts_differ():
    assert "counts DIFFER" in a_run(is_identical=False)


def test_the_report_does_without_a_sequential_run():
    text = a_run(sequential_s=None)
    assert "not run" in text
    assert "Amdahl" not in text


def test_the_report_gives_no_share_where_the_law_has_none():
    assert "slower than one process" in a_run(parallel_s=2.0)
    assert "single worker" in a_run(workers=1)
