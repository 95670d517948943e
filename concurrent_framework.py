"""Joins the packages of Concurrent to the standard library's package ``concurrent``.

``concurrent`` belongs to the standard library, so the folder ``concurrent/`` beside this file has no
``__init__.py`` and would never be found by itself. Importing this module appends that folder to
``concurrent.__path__``: appended, never prepended, so that no module of the standard library can be
hidden. ``concurrent_framework.pth`` (and its successor ``concurrent_framework.start``, PEP 829) makes
every interpreter of an environment do so when it starts.

Where no such file is read (``python -S``, ``pip install --target``, zip applications, frozen programs)
``import concurrent_framework`` before the first ``import concurrent.core``. The command
``python -m concurrent_framework`` prints the state and the remedy.

This module runs at the start of every interpreter: it imports nothing that is not loaded already.
"""

import concurrent
import os
import sys

NAMES = ("core", "transport", "scheduling", "apps")
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "concurrent")


def join() -> None:
    """Append our folder to the search path of ``concurrent``; calling it again changes nothing."""
    if FOLDER not in concurrent.__path__:
        concurrent.__path__.append(FOLDER)


def missing_names() -> list[str]:
    """Return those of our four packages that this interpreter can not find."""
    from importlib.util import find_spec

    return [name for name in NAMES if find_spec(f"concurrent.{name}") is None]


def report() -> int:
    """Print whether the packages are found and the remedy if not; return the exit code, 0 or 1."""
    missing = missing_names()
    hook = "not run, python was started with -S" if sys.flags.no_site else "run if installed"
    print(f"folder: {FOLDER}")
    print(f"start-up hook: {hook}")
    print(f"search path of concurrent: {os.pathsep.join(concurrent.__path__)}")
    if missing:
        print(f"missing: {', '.join('concurrent.' + name for name in missing)}")
        print("remedy: install again with 'pip install --force-reinstall concurrent-framework'")
        return 1
    print(f"found: {', '.join('concurrent.' + name for name in NAMES)}")
    print("remedy if a program does not find them: 'import concurrent_framework' as its first import")
    return 0


def main() -> int:
    """Run the command line ``concurrent``; it says so if the packages are not where they should be."""
    if missing_names():
        print(
            f"concurrent: no package concurrent.apps in {FOLDER}; "
            "run 'python -m concurrent_framework' for the state and the remedy",
            file=sys.stderr,
        )
        return 1
    if sys.flags.no_site:
        print(
            "concurrent: python runs with -S, so its start-up hook did not run and processes started "
            "from here may not find concurrent.core; start it without -S",
            file=sys.stderr,
        )
    from concurrent.apps.main import main as run_command

    return run_command()


join()

if __name__ == "__main__":
    sys.exit(report())
