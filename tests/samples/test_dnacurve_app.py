"""``concurrent app dnacurve`` on an embedded cluster, in a process of its own."""

from __future__ import annotations

import csv
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

PROGRAM = "import concurrent_framework, sys; sys.exit(concurrent_framework.main())"
SVG = "{http://www.w3.org/2000/svg}"


def analyse(folder: Path, *arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
    """Analyse 60 bases, too few for controls, in tasks of 7 with two workers, in a folder.

    :param options: further options of the section ``[dnacurve]``.
    """
    texts = {"sequence": "ATGCAAATTG", "repeat": "6", "bases_per_task": "7", **options}
    settings = [word for name, text in texts.items() for word in ("-o", f"dnacurve.{name}={text}")]
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "app", "dnacurve", "-w", "2", *arguments, *settings],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("mode", ["system", "tasks"])
@pytest.mark.parametrize("scheduler", ["GenericTaskScheduler", "ZMQTaskScheduler"])
def test_each_mode_and_scheduler_finds_what_one_process_finds(
    tmp_path: Path, scheduler: str, mode: str
) -> None:
    done = analyse(tmp_path, "--scheduler", scheduler, mode=mode)
    assert done.returncode == 0, done.stderr
    assert "18 tasks on 2 workers" in done.stdout
    assert "18 of 18" in done.stderr
    assert "result equal" in done.stdout or "result identical" in done.stdout
    with (tmp_path / "dnacurve.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows[1:]] == list("ATGCAAATTG" * 6)
    assert len(ElementTree.parse(tmp_path / "dnacurve.svg").findall(f"{SVG}polyline")) > 6


@pytest.mark.parametrize("mode", ["system", "tasks"])
def test_without_a_sequence_a_known_one_is_analysed_and_compared_with_controls(
    tmp_path: Path, mode: str
) -> None:
    done = analyse(tmp_path, mode=mode, sequence="", bases_per_task="60", controls="120")
    assert done.returncode == 0, done.stderr
    assert "kinetoplast, 414 bases" in done.stdout
    assert "123 degrees from base 111 to 170, the most bent 60" in done.stdout
    assert "120 times the same letters in another order" in done.stdout
    assert "none of them bends as much" in done.stdout
    assert "17 tasks on 2 workers" in done.stdout  # 7 blocks in two phases, and three tasks of controls


@pytest.mark.parametrize("mode", ["system", "tasks"])
def test_tasks_in_batches_find_the_same(tmp_path: Path, mode: str) -> None:
    done = analyse(tmp_path, mode=mode, bases_per_task="1", tasks_per_batch="16")
    assert done.returncode == 0, done.stderr
    assert "120 tasks on 2 workers" in done.stdout


def test_a_file_is_analysed_with_the_windows_and_the_model_that_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "some.fasta").write_text(">some DNA\nGATCTAGACTAGACGCTATCGATAAAGTTTAAACAGTACA\n")
    done = analyse(
        tmp_path, file="some.fasta", model="nucleosome", curvature_window="7", sequential="no", plot=""
    )
    assert done.returncode == 0, done.stderr
    assert "some, 40 bases; model Nucleosome positioning" in done.stdout
    assert "sequential  not run" in done.stdout
    assert "[7]" in (tmp_path / "dnacurve.csv").read_text()
    assert not (tmp_path / "dnacurve.svg").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell the memory of a process")
@pytest.mark.parametrize("mode", ["system", "tasks"])
def test_the_memory_of_each_process_is_known(tmp_path: Path, mode: str) -> None:
    done = analyse(tmp_path, mode=mode)
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("memory"))
    assert line.count(" MB") == (4 if mode == "system" else 3)
    assert "not known" not in line


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"sequence": "ACGN"}, "has 'N', first at base 4"),
        ({"sequence": "--"}, "has 0 bases, and the model needs 2"),
        ({"sequence": "A", "repeat": "1"}, "has 1 bases"),
        ({"file": "missing.fasta"}, "missing.fasta cannot be read"),
        ({"model": "spaghetti"}, "spaghetti"),
        ({"curvature_window": "21"}, "curvature_window"),
    ],
)
def test_wrong_input_ends_with_an_answer_and_not_with_a_traceback(
    tmp_path: Path, options: dict[str, str], problem: str
) -> None:
    done = analyse(tmp_path, **options)
    assert done.returncode == 2
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_can_not_be_written_fails_and_names_the_option(tmp_path: Path) -> None:
    done = analyse(tmp_path, output="missing/some.csv")
    assert done.returncode == 1
    assert "set [dnacurve] output" in done.stderr
