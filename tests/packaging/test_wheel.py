"""The built wheel: what it claims, and that a Python that has it finds the packages."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns("build", "dist", ".*", "__pycache__", "*.egg-info")


@pytest.fixture(scope="module")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel puts into site-packages."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=NOT_COPIED)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "wheel", *options, "-w", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run(site_folder: Path, program: str) -> str:
    """Run a program in an isolated Python whose site-packages is ``site_folder``.

    What the wheel depends on comes from the environment of the tests, whose start-up files are not read.
    """
    dependencies = sysconfig.get_path("purelib")
    begin = (
        f"import site, sys; site.addsitedir({str(site_folder)!r}); sys.path.append({dependencies!r}); "
    )
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
    ours = {path.name for path in (site_folder / "concurrent").iterdir()}
    assert ours == {"core", "transport", "scheduling", "apps"}
    program = "import concurrent, os; print(*os.listdir(concurrent.__path__[0]))"
    theirs = {name.removesuffix(".py") for name in run(site_folder, program).split()}
    assert not ours & theirs


def test_the_start_up_files_stand_at_the_root_and_name_the_hook(site_folder: Path) -> None:
    pth = (site_folder / "concurrent_framework.pth").read_text(encoding="utf-8")
    start = (site_folder / "concurrent_framework.start").read_text(encoding="utf-8")
    assert pth.strip() == "import concurrent_framework"
    assert start.strip() == "concurrent_framework:join"


def test_joining_again_changes_nothing(site_folder: Path) -> None:
    program = (
        "import concurrent, concurrent_framework; before = list(concurrent.__path__); "
        "concurrent_framework.join(); print(before == list(concurrent.__path__), len(before))"
    )
    assert run(site_folder, program).split() == ["True", "2"]


def test_the_hook_reports_what_is_found(site_folder: Path) -> None:
    out = run(site_folder, "import concurrent_framework as hook; print(hook.report())")
    assert "found: concurrent.core, concurrent.transport" in out
    assert out.endswith("0\n")


def test_there_is_no_init_file_that_would_hide_the_standard_library(site_folder: Path) -> None:
    for folder in (ROOT, site_folder):
        found = folder / "concurrent" / "__init__.py"
        assert not found.exists(), f"{found} would replace the standard library's concurrent"
