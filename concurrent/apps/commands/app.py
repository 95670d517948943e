"""``concurrent app``: run an application, on the cluster of a master or on an embedded one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Final

from concurrent.apps.api import EXIT_OK
from concurrent.apps.appclass import application_class
from concurrent.apps.application import ApplicationNode
from concurrent.apps.commandparser import CommandParser
from concurrent.apps.commands.common import (
    Subparsers,
    arguments_of,
    common_parser,
    make_environment,
    run_node,
)
from concurrent.apps.commands.jobparts import job_run_of, over_before, run_for_job
from concurrent.apps.commands.projectparts import (
    add_project_options,
    list_files,
    note_project,
    run_script,
    script_named,
)
from concurrent.apps.executorjob import checked_name
from concurrent.apps.hangup import OutlivesTerminal
from concurrent.apps.programrecord import ProgramRecord, record_of
from concurrent.core.config import describe, items_of
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError

__all__ = ["add_parser", "class_parser", "run"]

EMBEDDED: Final = ""
"""In place of the address of a master: who says how many workers means an embedded cluster."""


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: CommandParser = commands.add_parser(
        "app",
        parents=[common_parser()],
        help="run an application",
        description="Run an application: one of the samples, a file, the folder of a program or an installed "
        "module. Without --master a cluster is started on this machine for the time of the run. With --job or "
        "--detach the work outlives the application. Of a folder, with app.py or main.py, the modules go along "
        "with the tasks. A script that makes a ClusterExecutor itself is run, with the cluster of --master "
        "and the arguments behind --.",
    )
    parser.add_argument("name", metavar="NAME", help="a sample, FILE.py, FILE.py:CLASS, FOLDER or a module")
    parser.take_script_arguments()
    _add_options(parser)
    return parser


def class_parser(cls: type[ApplicationNode]) -> argparse.ArgumentParser:
    """Return the parser of a program that is one application."""
    doc = cls.__doc__ or getattr(sys.modules.get(cls.__module__), "__doc__", None) or ""
    description = doc.strip().partition("\n")[0]
    parser = CommandParser(parents=[common_parser()], description=description or None, classes=(cls,))
    _add_options(parser)
    parser.set_defaults(run=partial(_run_program, cls))
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-m",
        "--master",
        metavar="HOST:PORT",
        help="the master to use; joined: that of the cluster you joined; @FILE: the address is in that file "
        "(that of CONCURRENT_MASTER or option application.master)",
    )
    parser.add_argument("-w", "--workers", type=int, help="how many worker processes an embedded cluster has")
    parser.add_argument("--channel", metavar="NAME", help="the compute channel of an embedded cluster")
    parser.add_argument("--scheduler", help="the scheduler of an embedded cluster")
    group = parser.add_argument_group("work that outlives the application, on a master that keeps a journal")
    group.add_argument(
        "--job", metavar="NAME", type=_job_name,
        help="do it as the job of that name: when it is there already, go on with it, and run nothing again",
    )  # fmt: skip
    group.add_argument(
        "--detach", action="store_true",
        help="push the work, print the id and the name of the job, and end; see 'concurrent attach'",
    )  # fmt: skip
    group.add_argument("--attach", metavar="ID", help=argparse.SUPPRESS)  # what concurrent attach says
    add_project_options(parser)
    parser.add_argument("--options", action="store_true", help="print the options of the application and end")


def _job_name(text: str) -> str:
    try:
        return checked_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(args: argparse.Namespace) -> int:
    """Run the application to its end."""
    path = _path_of(args.name)
    note_project(args, path)
    script = script_named(path) if path is not None and not args.files else None
    if script is not None:
        return run_script(args, *script)
    if args.script_arguments:
        raise ConfigurationError(
            f"{args.name} is an application, which has options and no arguments",
            thing="--",
            value=args.script_arguments[0],
            remedy="Set its options with -o SECTION.OPTION=VALUE; --options prints them",
        )
    record = partial(record_of, args.name, arguments_of(args))
    return _run(args, lambda env: application_class(env, args.name), record)


def _path_of(name: str) -> Path | None:
    """Return the file or folder that a name is, None if it is another one."""
    source = name if Path(name).exists() else name.rpartition(":")[0] or name
    return Path(source) if Path(source).suffix == ".py" or Path(source).exists() else None


def _run_program(cls: type[ApplicationNode], args: argparse.Namespace) -> int:
    """Run the application that a program is."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    note_project(args, Path(file) if file else Path.cwd() if args.include or args.files else None)
    record = partial(record_of, file or "", arguments_of(args), is_script=True)
    return _run(args, partial(_of_program, cls), record)


def _of_program(cls: type[ApplicationNode], env: Environment) -> type[ApplicationNode]:
    """Return the class of an application that is a program, whose components are known to its environment."""
    env.register_program("__main__", cls.__module__)
    env.register(cls)  # also if it is defined in a function
    return cls


def _run(
    args: argparse.Namespace,
    find: Callable[[Environment], type[ApplicationNode]],
    record: Callable[[], ProgramRecord],
) -> int:
    if args.master is not None and args.workers is not None:
        raise ConfigurationError(
            "--workers is for an embedded cluster, but --master names another one",
            thing="--workers",
            remedy="Leave one of the two out; the workers of a cluster are those of its slaves",
        )
    env = make_environment(
        args,
        application__master=args.master if args.workers is None else EMBEDDED,
        application__workers=args.workers,
        transport__channel=args.channel,
        scheduling__scheduler=args.scheduler,
    )
    if args.files:
        return list_files(env)
    cls = find(env)
    if args.options:
        section = [item for item in items_of([cls]) if item.section not in ("application", "transport")]
        print(describe(section) or f"# {cls.__name__} has no options of its own.")
        return EXIT_OK
    if over_before(args, env, record):
        return EXIT_OK
    node = env[cls]
    if args.quiet:
        node.hide_progress()
    node.job_run = job_run_of(args, env, cls, record)
    if node.job_run is None:
        return run_node(node, args, is_server=False)
    with OutlivesTerminal() if args.detach else nullcontext():
        return run_for_job(node, node.job_run, args)
