"""The sample for scikit-learn on an embedded cluster, in a process of its own; and without scikit-learn."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = "import concurrent_framework, sys; sys.exit(concurrent_framework.main())"
WITHOUT = f"import sys; sys.modules['sklearn'] = None; {PROGRAM}"


def search(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, "app", "modelsearch", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)


def test_the_cluster_finds_the_scores_that_one_core_finds() -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("joblib")
    options = ("-o", "modelsearch.candidates=4", "-o", "modelsearch.folds=2")
    done = search(PROGRAM, "-w", "2", "--quiet", *options)
    assert done.returncode == 0, done.stderr
    assert "1437 images to search with, 360 held out" in done.stdout
    assert "s for 8 fits on 2 workers" in done.stdout
    assert "scores identical" in done.stdout
    assert "batches" not in done.stderr


def test_a_difference_of_one_score_is_found() -> None:
    pytest.importorskip("sklearn")
    from concurrent.apps.samples.modelsearch import report, study

    data = study.digits(1)
    one, other = (study.new_search(2, 2, 1).fit(data.images[:200], data.digits[:200]) for _ in range(2))
    assert report.is_same(one, other)
    other.cv_results_["split1_test_score"][0] -= 1e-9
    assert not report.is_same(one, other)


def test_what_is_held_out_is_not_searched_with() -> None:
    pytest.importorskip("sklearn")
    from concurrent.apps.samples.modelsearch import study

    data = study.digits(1)
    seen = {image.tobytes() for image in data.images}
    assert not any(image.tobytes() in seen for image in data.held_out)


def test_as_a_job_it_would_keep_nothing_and_is_refused() -> None:
    done = search(PROGRAM, "--master", "127.0.0.1:1", "--job", "mine")
    assert done.returncode != 0
    assert "Leave out --job and --detach" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_scikit_learn_it_says_what_to_install() -> None:
    done = search(WITHOUT)
    assert done.returncode == 2
    assert 'pip install "concurrent-framework[joblib]" scikit-learn' in done.stderr
    assert "Traceback" not in done.stderr


def test_without_scikit_learn_its_options_are_known() -> None:
    done = search(WITHOUT, "--options")
    assert done.returncode == 0
    assert "candidates" in done.stdout
