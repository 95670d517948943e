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
    sys.exit(Environment(overrides=settings)[Mandelbrot].run())
"""
VIEW = View(60, 40, -0.65, 0.0, 3.3, 300)


def draw(output: Path | str, **options: str) -> subprocess.CompletedProcess[str]:
    """Draw ``VIEW`` with two workers.

    :param output: the file to write; empty for none.
    :param options: further options of the section ``[mandelbrot]``.
    """
    texts = {**VIEW._asdict(), "rows_per_task": 7, "output": output, **options}
    settings = [f"mandelbrot.{name}={text}" for name, text in texts.items()]
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "application.workers=2", *settings],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("mode", ["system", "tasks"])
@pytest.mark.parametrize("data", ["optimized", "plain"])
def test_each_flavour_draws_the_same_picture_as_one_process(tmp_path: Path, mode: str, data: str) -> None:
    done = draw(tmp_path / "drawn.png", mode=mode, data=data)
    assert done.returncode == 0, done.stderr
    assert "counts identical" in done.stdout
    assert "6 tasks on 2 workers" in done.stdout
    write_png(tmp_path / "expected.png", VIEW, count_picture(VIEW))
    assert (tmp_path / "drawn.png").read_bytes() == (tmp_path / "expected.png").read_bytes()


def test_without_a_comparison_and_an_output_only_the_cluster_works() -> None:
    done = draw("", sequential="no")
    assert done.returncode == 0, done.stderr
    assert "sequential  not run" in done.stdout
    assert "picture     none" in done.stdout


def test_a_picture_that_can_not_be_written_fails_and_names_the_option(tmp_path: Path) -> None:
    done = draw(tmp_path / "missing" / "drawn.png")
    assert done.returncode == 1
    assert "set [mandelbrot] output" in done.stderr
