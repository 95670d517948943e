#!/usr/bin/env python3
"""The commands of a fresh checkout; they need nothing but Python 3.10 or newer.

``python3 dev.py demo [arguments]``
    installs Concurrent into ``build/venv`` and runs ``concurrent app mandelbrot [arguments]``.
``python3 dev.py test [arguments]``
    installs the checkout into a new environment ``build/venv-test``, then runs ruff, mypy and
    ``pytest -n 3 --dist worksteal [arguments]``, in three processes, as most tests wait. All of them always
    run; the exit code is 0 if all passed. pytest runs last, so that its closing line closes the output.
    If at most five tests fail, these run once more, alone. Those that then pass are named as unsteady and
    do not fail the run: each of them is a fault to look into, of the test or of the product.
``python3 dev.py bench [arguments]``
    installs the checkout into ``build/venv-bench`` and runs ``python -m benchmarks [arguments]``.
``python3 dev.py site [arguments]``
    installs the checkout into a new environment ``build/venv-site`` and has Sphinx make a site of the pages in
    ``build/site``; warnings are errors.

Packages come from the package index that pip is configured for.
"""

from __future__ import annotations  # an older Python gets as far as the check of its version

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / "build"
PYTHON_MIN = (3, 10)
CACHE = BUILD / "test-cache"
"""Where pytest notes which tests have failed; of this run only."""
LAST_FAILED = CACHE / "v" / "cache" / "lastfailed"
TESTS_FAILED = 1
"""The exit code of pytest if all ran and some failed."""
AGAIN_MAX = 5


def say(step: str) -> None:
    """Print the heading of a step at once, before what the step itself prints."""
    print(f"==> {step}", flush=True)


def run(command: list[str | Path]) -> int:
    """Run a command in the root of the checkout and return its exit code."""
    say(" ".join(str(part) for part in command))
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def programs_of(folder: Path) -> Path:
    """Return the folder of the programs of an environment."""
    return folder / ("Scripts" if os.name == "nt" else "bin")


def make_environment(folder: Path, what: list[str]) -> Path:
    """Make a new environment, install into it and return the folder of its programs."""
    say(f"new environment {folder.relative_to(ROOT)}")
    venv.EnvBuilder(clear=True, with_pip=True).create(folder)
    programs = programs_of(folder)
    pip = [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if run([*pip, *what]) != 0:
        sys.exit(f"dev.py: could not install {' '.join(what)}; see the message of pip above")
    return programs


def demo(arguments: list[str]) -> int:
    """Install as a user does, then draw the Mandelbrot set on an embedded cluster."""
    programs = make_environment(BUILD / "venv", [".[png]"])
    return run([programs / "concurrent", "app", "mandelbrot", *arguments])


def test(arguments: list[str]) -> int:
    """Install as a developer does, then run every check."""
    programs = make_environment(BUILD / "venv-test", ["-e", ".[test]"])
    python = programs / "python"
    checks: list[list[str | Path]] = [
        [python, "-m", "ruff", "check", "."],
        [python, "-m", "ruff", "format", "--check", "--quiet", "."],
        [python, "-m", "mypy"],
    ]
    failed = [" ".join(map(str, check[2:4])) for check in checks if run(check) != 0]
    if failed:
        say(f"failed so far: {', '.join(failed)}")
    return run_tests([python, "-m", "pytest", "-o", f"cache_dir={CACHE}"], arguments) or int(bool(failed))


def run_tests(pytest: list[str | Path], arguments: list[str]) -> int:
    """Run the tests in three processes, and the few that fail once more alone; return the exit code."""
    shutil.rmtree(CACHE, ignore_errors=True)
    code = run([*pytest, "-n", "3", "--dist", "worksteal", *arguments])
    failed = failed_tests()
    if not is_worth_another_try(code, failed):
        return code
    say(f"failed: {', '.join(failed)}; once more, alone")
    code = run([*pytest, "--last-failed", "--last-failed-no-failures", "none", *arguments])
    for test in unsteady(code, failed, failed_tests()):
        say(f"unsteady: {test} failed at first and passed alone; look into it")
    return code


def failed_tests() -> list[str]:
    """Return the names of the tests that pytest noted as failed, and that have not passed since."""
    if not LAST_FAILED.exists():
        return []
    return sorted(json.loads(LAST_FAILED.read_text(encoding="utf-8")))


def is_worth_another_try(code: int, failed: list[str]) -> bool:
    """Return whether chance may have failed a run: it went to its end, and few tests failed."""
    return code == TESTS_FAILED and 0 < len(failed) <= AGAIN_MAX


def unsteady(code: int, at_first: list[str], again: list[str]) -> list[str]:
    """Return the tests that failed at first and have passed alone, if the second run went to its end."""
    return [test for test in at_first if test not in again] if code in (0, TESTS_FAILED) else []


def bench(arguments: list[str]) -> int:
    """Measure the framework beside other ways to run tasks."""
    programs = make_environment(BUILD / "venv-bench", ["-e", ".", "psutil"])
    return run([programs / "python", "-m", "benchmarks", *arguments])


def site(arguments: list[str]) -> int:
    """Make the site of the documentation, from nothing."""
    programs = make_environment(BUILD / "venv-site", [".[docs]"])
    folder = BUILD / "site"
    shutil.rmtree(folder, ignore_errors=True)
    sphinx = [programs / "python", "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    code = run([*sphinx, "-c", "docs/site", "-d", BUILD / "site-kept", *arguments, ".", folder])
    if code == 0:
        say(f"open {folder / 'index.html'}")
    return code


def main(arguments: list[str]) -> int:
    """Run the command named by the first argument."""
    if sys.version_info < PYTHON_MIN:
        sys.exit(
            f"dev.py needs Python 3.10 or newer, but this is {sys.version.split()[0]}; "
            "run it with another one, for example: python3.11 dev.py demo"
        )
    commands = {"demo": demo, "test": test, "bench": bench, "site": site}
    if not arguments or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        if arguments:
            print(f"dev.py: there is no command {arguments[0]!r}", file=sys.stderr)
        return 2
    return commands[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
