"""An installed Concurrent is found by every interpreter of its environment, or says why not."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Installation

CHILD = """
import multiprocessing, sys

def where():
    import concurrent.core
    return concurrent.core.__file__

if __name__ == "__main__":
    with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
        print(pool.apply(where))
"""
SHOW = "import concurrent.core; print(concurrent.core.__file__)"


@pytest.fixture
def without_site(installation: Installation) -> dict[str, str]:
    """Variables with which ``python -S`` finds modules of the environment, but runs no start-up file."""
    paths = [str(installation.site_folder), sysconfig.get_path("purelib")]
    return {"PYTHONPATH": os.pathsep.join(paths)}


@pytest.mark.parametrize("options", [[], ["-I"], ["-E"], ["-O"]])
def test_a_plain_interpreter_finds_it_whatever_its_options(
    installation: Installation, options: list[str]
) -> None:
    done = installation.run(*options, "-c", SHOW)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installation.site_folder))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_children_of_multiprocessing_find_it(installation: Installation, tmp_path: Path, method: str) -> None:
    if method == "forkserver" and os.name == "nt":
        pytest.skip("Windows has no forkserver")
    program = tmp_path / "program.py"
    program.write_text(CHILD, encoding="utf-8")
    done = installation.run(program, method)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installation.site_folder))


def test_the_report_says_that_all_is_found(installation: Installation) -> None:
    done = installation.run("-m", "concurrent_framework")
    assert done.returncode == 0, done.stderr
    assert "start-up hook: run if installed" in done.stdout
    assert "found: concurrent.core, concurrent.transport, concurrent.scheduling, concurrent.apps" in done.stdout


def test_without_the_start_up_hook_the_import_fails_and_the_report_says_why(
    installation: Installation, without_site: dict[str, str]
) -> None:
    failed = installation.run("-S", "-c", SHOW, variables=without_site)
    assert "No module named 'concurrent.core'" in failed.stderr
    report = installation.run("-S", "-m", "concurrent_framework", variables=without_site)
    assert "start-up hook: not run, python was started with -S" in report.stdout
    assert "'import concurrent_framework' as its first import" in report.stdout


def test_without_the_start_up_hook_the_remedy_of_the_report_works(
    installation: Installation, without_site: dict[str, str]
) -> None:
    done = installation.run("-S", "-c", f"import concurrent_framework; {SHOW}", variables=without_site)
    assert done.returncode == 0, done.stderr


def test_without_the_start_up_hook_the_command_says_what_will_not_work(
    installation: Installation, without_site: dict[str, str]
) -> None:
    done = installation.run("-S", installation.command, "--help", variables=without_site)
    assert "concurrent: python runs with -S" in done.stderr
    assert "start it without -S" in done.stderr


def test_a_hook_without_its_packages_names_the_folder_and_the_remedy(
    installation: Installation, tmp_path: Path
) -> None:
    shutil.copy(ROOT / "concurrent_framework.py", tmp_path)
    alone = {"PYTHONPATH": str(tmp_path)}
    report = installation.run("-S", "-m", "concurrent_framework", variables=alone)
    assert report.returncode == 1
    assert "missing: concurrent.core, concurrent.transport" in report.stdout
    assert "remedy: install again" in report.stdout
    command = "import sys, concurrent_framework; sys.exit(concurrent_framework.main())"
    done = installation.run("-S", "-c", command, variables=alone)
    assert done.returncode == 1
    assert f"no package concurrent.apps in {tmp_path}" in done.stderr
    assert "python -m concurrent_framework" in done.stderr
