#!/usr/bin/env python3
"""The commands of a fresh checkout; they need nothing but Python 3.10 or newer.

``python3 dev.py demo [arguments]``
    installs Concurrent into ``build/venv`` and runs ``concurrent app mandelbrot [arguments]``.
``python3 dev.py test [arguments]``
    installs the checkout into a new environment ``build/venv-test``, then runs ruff, mypy and
    ``pytest -n 3 --dist worksteal [arguments]``, in three processes, as most tests wait. All of them always
    run; the exit code is 0 if all passed. pytest runs last, so that its closing line closes the output.
``python3 dev.py bench [arguments]``
    installs the checkout into ``build/venv-bench`` and runs ``python -m benchmarks [arguments]``.

Packages come from the package index that pip is configured for.
"""

from __future__ import annotations  # an older Python gets as far as the check of its version

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / "build"
PYTHON_MIN = (3, 10)


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
    in_three = ["-n", "3", "--dist", "worksteal"]
    return run([python, "-m", "pytest", *in_three, *arguments]) or int(bool(failed))


def bench(arguments: list[str]) -> int:
    """Measure the framework beside other ways to run tasks."""
    programs = make_environment(BUILD / "venv-bench", ["-e", ".", "psutil"])
    return run([programs / "python", "-m", "benchmarks", *arguments])


def main(arguments: list[str]) -> int:
    """Run the command named by the first argument."""
    if sys.version_info < PYTHON_MIN:
        sys.exit(
            f"dev.py needs Python 3.10 or newer, but this is {sys.version.split()[0]}; "
            "run it with another one, for example: python3.11 dev.py demo"
        )
    commands = {"demo": demo, "test": test, "bench": bench}
    if not arguments or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        if arguments:
            print(f"dev.py: there is no command {arguments[0]!r}", file=sys.stderr)
        return 2
    return commands[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
