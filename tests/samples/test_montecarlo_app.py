"""``concurrent app montecarlo`` on embedded clusters, in processes of their own; some of their workers die."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "import concurrent_framework, sys; sys.exit(concurrent_framework.main())"
FRAIL = '''
import os
import signal
from pathlib import Path

from concurrent.apps.samples.montecarlo.app import MonteCarlo
from concurrent.apps.samples.montecarlo.tasks import ShieldSystem, StreamTask

MARKS = Path({folder!r})


class FrailTask(StreamTask):
    """Each fifth stream kills its worker, the first time that it runs, when it is half done."""

    def __call__(self):
        mark = MARKS / f"died {{self.stream}}"
        if self.stream % 5 == 2 and not mark.exists():
            self.plan.shield.count_through(100, __import__("random").Random())
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__()


class FrailSystem(ShieldSystem):
    task_class = FrailTask


class Frail(MonteCarlo):
    system_class = FrailSystem
'''
SMALL = ("thickness=2", "particles=500", "goal=0.02")


def estimate(name: str | Path, *options: str, workers: int = 2) -> subprocess.CompletedProcess[str]:
    settings = [word for option in (*SMALL, *options) for word in ("-o", f"montecarlo.{option}")]
    command = [sys.executable, "-c", PROGRAM, "app", str(name), "-w", str(workers), *settings]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def found(text: str) -> list[str]:
    """Return what was found, without how long it took."""
    return re.findall(r"^(?:through|95% sure|known|exactly) .*$", text, re.MULTILINE)


def test_one_process_finds_the_same_and_the_known_value_is_near() -> None:
    done = estimate("montecarlo")
    assert done.returncode == 0, done.stderr
    assert "count identical" in done.stdout
    away = re.search(r"which is (\d+\.\d) standard errors away", done.stdout)
    assert away is not None
    assert float(away[1]) < 3


def test_the_result_is_the_same_however_many_workers_there_are_who_pushes_and_when_some_die(
    tmp_path: Path,
) -> None:
    (tmp_path / "frail.py").write_text(FRAIL.format(folder=str(tmp_path)))
    runs = [
        estimate("montecarlo", "sequential=no", workers=1),
        estimate("montecarlo", "sequential=no", workers=4),
        estimate("montecarlo", "sequential=no", "mode=tasks"),
        estimate(tmp_path / "frail.py", "sequential=no"),
    ]
    assert [done.returncode for done in runs] == [0, 0, 0, 0], [done.stderr for done in runs]
    assert len(list(tmp_path.glob("died *"))) >= 6
    first, *others = (found(done.stdout) for done in runs)
    assert len(first) == 4
    assert others == [first, first, first]


def test_another_seed_gives_another_result() -> None:
    texts = [estimate("montecarlo", "sequential=no", f"seed={seed}").stdout for seed in (1, 2)]
    assert found(texts[0]) != found(texts[1])


def test_a_goal_that_was_not_reached_is_said_and_fails() -> None:
    done = estimate("montecarlo", "goal=0.001", "streams_max=40")
    assert done.returncode == 1
    assert "above the goal after 40 streams" in done.stderr


def test_that_nothing_gets_through_is_said_too() -> None:
    done = estimate("montecarlo", "thickness=30", "scattering=0", "streams_max=30")
    assert done.returncode == 1
    assert "0.0000% +- 0.0000%" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["scattering=1", "thickness=0", "goal=0"])
def test_what_has_no_answer_is_refused(option: str) -> None:
    done = estimate("montecarlo", option)
    assert done.returncode == 2
    assert option.partition("=")[0] in done.stderr
    assert "Traceback" not in done.stderr
