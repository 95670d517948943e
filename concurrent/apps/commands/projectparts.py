"""What commands that run a program do about its project, and with a script that is no application."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from concurrent.apps.api import EXIT_OK
from concurrent.apps.applicationsettings import ApplicationSettings
from concurrent.apps.layouts import MAIN_FILES
from concurrent.apps.plainscript import APPLICATION, Script, script_of
from concurrent.core.configgiven import MASTER_VARIABLE, PREFIX
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError
from concurrent.scheduling.pickling.sources import import_root

if TYPE_CHECKING:
    from concurrent.scheduling.projects.collecting import Collected

__all__ = ["add_project_options", "list_files", "note_project", "run_script", "script_named"]

PACKAGE_FILE: Final = "__init__.py"
MAIN_OF_PACKAGE: Final = "__main__.py"

OF_APPLICATIONS: Final = (
    "workers", "channel", "scheduler", "job", "detach", "attach", "options", "env", "config", "plugin",
)  # fmt: skip
"""Arguments that mean nothing to a script that makes its own executor."""


def add_project_options(parser: argparse.ArgumentParser) -> None:
    """Say what is taken about a project."""
    group = parser.add_argument_group("what goes along with the tasks, besides modules")
    group.add_argument(
        "--include", metavar="PATTERN", action="append", default=[],
        help="files of the program's folder that go along, such as 'tables/*.csv'; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--exclude", metavar="PATTERN", action="append", default=[],
        help="files that do not go along; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--requirements", metavar="FILE", type=Path,
        help="locked requirements: workers are of an environment with them, which each slave makes once",
    )  # fmt: skip
    group.add_argument(
        "--files", action="store_true", help="print which files go along, and why others do not, and end"
    )


def note_project(args: argparse.Namespace, path: Path | None) -> None:
    """Set the options of the project that a command line asks for, before those that it sets itself.

    :param path: the file or folder of the program; None if it is a sample or an installed module.
    :raises ConfigurationError: if such a one is to have a project.
    """
    if args.requirements is not None:
        args.option = [f"application.requirements={args.requirements.expanduser().absolute()}", *args.option]
    asked = bool(args.include or args.exclude or args.files)
    if path is None and asked:
        raise ConfigurationError(
            "--include, --exclude and --files are for the file or folder of a program",
            thing="--include",
            remedy="Name the file or folder: concurrent app shop/",
        )
    if path is None or not (asked or path.is_dir()):
        return
    folder = path if path.is_dir() else path.parent
    options = [f"application.project={folder.expanduser().absolute()}"]
    for name, patterns in (("include", args.include), ("exclude", args.exclude)):
        if patterns:
            options.append(f"application.project_{name}={','.join(patterns)}")
    args.option = [*options, *args.option]


def list_files(env: Environment) -> int:
    """Print which files go along, and why others do not.

    :raises ConfigurationError: if the project is not possible.
    """
    from concurrent.scheduling.projects.collecting import size_text

    project = env[ApplicationSettings].named_project()
    assert project is not None, "there is a path"
    collected: Collected = project.collect()
    for file in collected.files:
        print(f"{size_text(len(file.data)):>10}  {_shown(file.path)}")
    print(f"{size_text(collected.size_bytes):>10}  in {len(collected.files)} files go along")
    if collected.left_count:
        print(f"\n{collected.left_count} do not:")
    for left in collected.left:
        print(f"{_shown(left.path)}: {left.why}")
    if collected.left_count > len(collected.left):
        print(f"and {collected.left_count - len(collected.left)} more")
    return EXIT_OK


def script_named(path: Path) -> tuple[Path, Script] | None:
    """Return the script that a path names, and what it is; None if that is an application, or nothing."""
    file: Path | None = path
    if path.is_dir():
        names = (MAIN_OF_PACKAGE,) if (path / PACKAGE_FILE).exists() else MAIN_FILES
        file = next((path / name for name in names if (path / name).is_file()), None)
    if file is None or file.suffix != ".py":
        return None
    try:
        if path.is_dir() and file.name == MAIN_OF_PACKAGE:
            return (file, Script(True, False)) if not _has_application(path) else None
        script = script_of(file.read_bytes())
    except OSError:  # whoever runs it is told
        return None
    return None if script is None else (file, script)


def _has_application(package: Path) -> bool:
    """Tell whether a module of a package names the class that applications are derived from."""
    return any(APPLICATION.encode() in file.read_bytes() for file in package.glob("*.py"))


def run_script(args: argparse.Namespace, file: Path, script: Script) -> int:
    """Run a script in place of this process, with the cluster and the options that were named.

    One in a package is run as ``python -m`` does, for it may import from its package.

    :raises ConfigurationError: if it was given something that is for applications.
    """
    for name in OF_APPLICATIONS:
        if getattr(args, name, None):
            raise ConfigurationError(
                f"--{name} is for applications, and {file} is a script: no class in it is derived from "
                "ApplicationNode",
                thing=f"--{name}",
                remedy="Say it where the script makes its executor, as in LocalCluster(workers=4) or "
                'ClusterExecutor(job="name")',
            )
    if args.master is not None and script.names_local and not script.names_cluster:
        raise ConfigurationError(
            f"{file} makes a LocalCluster, which is of this machine whatever --master says",
            thing="--master",
            value=args.master,
            remedy="Write ClusterExecutor() in its place; it is that of --master then",
        )
    variables = dict(os.environ)
    if args.master is not None:
        variables[MASTER_VARIABLE] = args.master
    for assignment in (*_logging_of(args), *args.option):
        name, _, text = assignment.partition("=")
        section, _, option = name.strip().replace("-", "_").partition(".")
        variables[f"{PREFIX}{section.upper()}__{option.upper()}"] = text.strip()
    sys.stdout.flush()
    sys.stderr.flush()
    command = [str(file)]
    if (file.parent / PACKAGE_FILE).exists():
        root = Path(import_root(str(file.absolute())))
        command = ["-m", ".".join(file.absolute().relative_to(root).with_suffix("").parts)]
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    os.execve(sys.executable, [sys.executable, *command, *args.script_arguments], variables)


def _logging_of(args: argparse.Namespace) -> list[str]:
    """Return the options that say how much is told."""
    if args.verbose:
        return ["logging.level=" + ("debug" if args.verbose > 1 else "info")]
    return ["logging.level=warning", "logging.task_output=false"] if args.quiet else []


def _shown(path: str) -> str:
    return path if path.isprintable() else repr(path)
