"""The built wheel: what it holds and what it claims."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(site_folder: Path, program: str) -> str:
    """Run a program in an isolated Python whose site-packages is ``site_folder``.

    What the wheel depends on comes from the environment of the tests, whose start-up files are not read.
    """
    dependencies = sysconfig.get_path("purelib")
    begin = f"import site, sys; site.addsitedir({str(site_folder)!r}); sys.path.append({dependencies!r}); "
    command = [sys.executable, "-I", "-S", "-c", begin + program]
    done = subprocess.run(
        command, cwd=site_folder.parent, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "imports",
    [
        "import concurrent.core.errors, concurrent.futures",
        "import concurrent.futures, concurrent.core.errors",
    ],
)
def test_both_orders_of_import_work_and_futures_are_the_standard_librarys(
    site_folder: Path, imports: str
) -> None:
    out = run(site_folder, f"{imports}; print(concurrent.futures.__file__, concurrent.core.__file__)")
    futures, core = out.split()
    assert str(site_folder) not in futures
    assert core.startswith(str(site_folder))


def test_four_names_are_claimed_and_the_standard_library_has_none_of_them(site_folder: Path) -> None:
    ours = {path.name for path in (site_folder / "concurrent").iterdir() if path.is_dir()}
    assert ours == {"core", "transport", "scheduling", "apps"}
    program = "import concurrent, os; print(*os.listdir(concurrent.__path__[0]))"
    theirs = {name.removesuffix(".py") for name in run(site_folder, program).split()}
    assert not ours & theirs


def test_no_other_name_stands_at_the_top(site_folder: Path) -> None:
    names = {path.name for path in site_folder.iterdir() if path.suffix != ".dist-info"}
    start_up = {f"concurrent_framework.{suffix}" for suffix in ("py", "pth", "start")}
    assert names - {"__pycache__"} == {"concurrent", *start_up}


@pytest.mark.parametrize(
    ("source", "installed"),
    [
        ("samples/probe/__init__.py", "concurrent/apps/samples/probe/__init__.py"),
        ("samples/probe/page.html", "concurrent/apps/samples/probe/page.html"),
        ("native/probe_py.py", "concurrent/core/native/probe_py.py"),
        ("conf/probe.ini", "concurrent/apps/conf/probe.ini"),
    ],
)
def test_each_folder_of_the_checkout_lands_in_its_package(
    wheel: Path, site_folder: Path, source: str, installed: str
) -> None:
    built_from = wheel.parent / "source" / source
    assert (site_folder / installed).read_bytes() == built_from.read_bytes()


def test_each_sample_and_each_configuration_of_the_checkout_is_there(site_folder: Path) -> None:
    samples = {path.parent.name for path in (ROOT / "samples").glob("*/__init__.py")}
    for name in samples:
        assert (site_folder / "concurrent/apps/samples" / name / "__init__.py").is_file()
    for file in (ROOT / "conf").glob("*.ini"):
        assert (site_folder / "concurrent/apps/conf" / file.name).is_file()


def test_tests_of_samples_stay_behind(site_folder: Path) -> None:
    assert not list(site_folder.rglob("test_*.py"))


def test_samples_and_native_modules_are_imported_from_where_they_land(site_folder: Path) -> None:
    names = ["concurrent.apps.samples.probe", "concurrent.core.native.probe_py"]
    out = run(site_folder, f"import {', '.join(names)}; print({', '.join(f'{n}.__file__' for n in names)})")
    assert all(path.startswith(str(site_folder)) for path in out.split())


def test_type_checkers_read_the_modules_themselves(site_folder: Path) -> None:
    assert [path.parent.name for path in site_folder.rglob("__init__.pyi")] == ["concurrent"]
    assert not list(site_folder.glob("*-stubs"))


def test_each_package_says_that_it_has_types(site_folder: Path) -> None:
    for name in ("core", "transport", "scheduling", "apps"):
        assert (site_folder / "concurrent" / name / "py.typed").is_file()


def test_the_start_up_files_stand_at_the_root_and_name_the_hook(site_folder: Path) -> None:
    pth = (site_folder / "concurrent_framework.pth").read_text(encoding="utf-8")
    start = (site_folder / "concurrent_framework.start").read_text(encoding="utf-8")
    assert pth.strip() == "import concurrent_framework"
    assert start.strip() == "concurrent_framework:join"


def test_the_entry_that_the_start_file_names_joins_our_folder(site_folder: Path) -> None:
    module, _, function = (site_folder / "concurrent_framework.start").read_text().strip().partition(":")
    program = (
        f"import concurrent, {module} as hook; concurrent.__path__.remove(hook.FOLDER); "
        f"hook.{function}(); print(hook.FOLDER in concurrent.__path__)"
    )
    assert run(site_folder, program) == "True\n"


def test_joining_again_changes_nothing(site_folder: Path) -> None:
    program = (
        "import concurrent, concurrent_framework; before = list(concurrent.__path__); "
        "concurrent_framework.join(); print(before == list(concurrent.__path__), len(before))"
    )
    assert run(site_folder, program).split() == ["True", "2"]


def test_there_is_no_init_file_that_would_hide_the_standard_library(site_folder: Path) -> None:
    for folder in (ROOT, site_folder):
        found = folder / "concurrent" / "__init__.py"
        assert not found.exists(), f"{found} would replace the standard library's concurrent"
