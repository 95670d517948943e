"""The Mandelbrot application on an embedded cluster, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from concurrent.apps.samples.mandelbrot.image import write_png
from concurrent.apps.samples.mandelbrot.sequential import count_picture
from concurrent.apps.samples.mandelbrot.view import View

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import concurrent_framework, sys
from concurrent.core import Environment
from concurrent.apps.samples.mandelbrot.app import Mandelbrot

if __name__ == "__main__":
    settings = dict(text.split("=", 1) for text in sys.argv[1:])
    env = Environment(overrides=settings)
    env.register(Mandelbrot)
    sys.exit(env[Mandelbrot].run())
"""
VIEW = View(60, 40, -0.65, 0.0, 3.3, 300)


def draw(
    output: Path | str,
    *,
    workers: int = 2,
    scheduler: str = "GenericTaskScheduler",
    channel: str = "zmq",
    **options: object,
) -> subprocess.CompletedProcess[str]:
    """Draw ``VIEW``.

    :param output: the file to write; empty for none.
    :param options: further options of the section ``[mandelbrot]``.
    """
    texts = {**VIEW._asdict(), "rows_per_task": 7, "output": output, **options}
    settings = [f"mandelbrot.{name}={text}" for name, text in texts.items()]
    settings += [f"application.workers={workers}", f"transport.channel={channel}"]
    settings.append(f"scheduling.scheduler={scheduler}")
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *settings],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("mode", ["system", "tasks"])
@pytest.mark.parametrize("data", ["optimized", "plain"])
@pytest.mark.parametrize(
    ("scheduler", "channel", "workers", "rows", "columns", "tasks"),
    [
        ("GenericTaskScheduler", "zmq", 2, 7, 0, 6),
        ("ZMQTaskScheduler", "zmq", 3, 7, 13, 30),
        ("GenericTaskScheduler", "tcp", 1, 40, 8, 8),
        ("ZMQTaskScheduler", "tcp", 2, 3, 60, 14),
    ],
)
def test_the_picture_is_the_same_however_it_was_computed(
    tmp_path: Path,
    mode: str,
    data: str,
    scheduler: str,
    channel: str,
    workers: int,
    rows: int,
    columns: int,
    tasks: int,
) -> None:
    done = draw(
        tmp_path / "drawn.png",
        workers=workers,
        scheduler=scheduler,
        channel=channel,
        mode=mode,
        data=data,
        rows_per_task=rows,
        columns_per_task=columns,
    )
    assert done.returncode == 0, done.stderr
    assert "counts identical" in done.stdout
    assert f"{tasks} tasks on {workers} workers" in done.stdout
    assert f"{tasks} of {tasks}" in done.stderr
    write_png(tmp_path / "expected.png", VIEW, count_picture(VIEW))
    assert (tmp_path / "drawn.png").read_bytes() == (tmp_path / "expected.png").read_bytes()


def test_a_picture_deeper_than_doubles_reach_is_refused_with_a_remedy() -> None:
    done = draw("", view_width="1e-15")
    assert done.returncode == 1
    assert "closer to one another than doubles are" in done.stderr
    assert "Set [mandelbrot] view_width to" in done.stderr


def test_without_a_comparison_and_an_output_only_the_cluster_works() -> None:
    done = draw("", sequential="no")
    assert done.returncode == 0, done.stderr
    assert "sequential  not run" in done.stdout
    assert "picture     none" in done.stdout


def test_a_picture_that_can_not_be_written_fails_and_names_the_option(tmp_path: Path) -> None:
    done = draw(tmp_path / "missing" / "drawn.png")
    assert done.returncode == 1
    assert "set [mandelbrot] output" in done.stderr
