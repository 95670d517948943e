"""The compiled modules of the wheel, and a wheel that was built where nothing can be compiled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import NOT_COPIED, ROOT

MANDELBROT = Path("concurrent", "apps", "samples", "mandelbrot")
COMPUTE = (
    "from concurrent.apps.samples.mandelbrot import kernel; print(kernel.KERNEL, kernel.smooth_count(2, 0, 9))"
)


def compute(site_folder: Path) -> list[str]:
    """Compute a point with the kernel of a wheel; return the kernel that ran, and the count."""
    begin = f"import site; site.addsitedir({str(site_folder)!r}); "
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", begin + COMPUTE],
        cwd=site_folder.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_sample_is_installed_with_its_compiled_kernel(site_folder: Path) -> None:
    names = {path.name for path in (site_folder / MANDELBROT).iterdir()}
    assert {"app.py", "kernel_py.py", "_kernel.pyx", "mandelbrot.ini", "README.md"} <= names
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no C compiler {compiler}")
    assert f"_kernel{sysconfig.get_config_var('EXT_SUFFIX')}" in names
    assert compute(site_folder) == ["cython", "1179"]


@pytest.mark.skipif(os.name == "nt", reason="CC does not choose the compiler there")
def test_without_a_compiler_a_wheel_is_built_with_one_warning_and_its_pure_twins(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT, source, ignore=NOT_COPIED)
    options = ["--verbose", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "-w", str(tmp_path), str(source)],
        env={**os.environ, "CC": "/bin/false"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert printed.count("some modules were not compiled") == 1
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    assert compute(tmp_path / "site") == ["python", "1179"]
