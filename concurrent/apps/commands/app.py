"""``concurrent app``: run an application, on the cluster of a master or on an embedded one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial

from concurrent.apps.api import EXIT_OK
from concurrent.apps.appclass import application_class
from concurrent.apps.application import ApplicationNode
from concurrent.apps.commands.common import Subparsers, common_parser, make_environment, run_node
from concurrent.core.config import describe, items_of
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError

__all__ = ["add_parser", "class_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "app",
        parents=[common_parser()],
        help="run an application",
        description="Run an application: one of the samples, a plug-in file or an installed module. Without "
        "--master a cluster is started on this machine for the time of the run.",
    )
    parser.add_argument("name", metavar="NAME", help="a sample, FILE.py, FILE.py:CLASS or a module")
    _add_options(parser)
    return parser


def class_parser(cls: type[ApplicationNode]) -> argparse.ArgumentParser:
    """Return the parser of a program that is one application."""
    doc = cls.__doc__ or getattr(sys.modules.get(cls.__module__), "__doc__", None) or ""
    description = doc.strip().partition("\n")[0]
    parser = argparse.ArgumentParser(parents=[common_parser()], description=description or None)
    _add_options(parser)
    parser.set_defaults(run=partial(_run, find=partial(_of_program, cls)))
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-m", "--master", metavar="HOST:PORT", help="the master to use")
    parser.add_argument("-w", "--workers", type=int, help="how many worker processes an embedded cluster has")
    parser.add_argument("--channel", metavar="NAME", help="the compute channel of an embedded cluster")
    parser.add_argument("--scheduler", help="the scheduler of an embedded cluster")
    parser.add_argument("--options", action="store_true", help="print the options of the application and end")


def run(args: argparse.Namespace) -> int:
    """Run the application to its end."""
    return _run(args, find=lambda env: application_class(env, args.name))


def _of_program(cls: type[ApplicationNode], env: Environment) -> type[ApplicationNode]:
    """Return the class of an application that is a program, whose components are known to its environment."""
    env.register_program("__main__", cls.__module__)
    env.register(cls)  # also if it is defined in a function
    return cls


def _run(args: argparse.Namespace, find: Callable[[Environment], type[ApplicationNode]]) -> int:
    if args.master is not None and args.workers is not None:
        raise ConfigurationError(
            "--workers is for an embedded cluster, but --master names another one",
            thing="--workers",
            remedy="Leave one of the two out; the workers of a cluster are those of its slaves",
        )
    env = make_environment(
        args,
        application__master=args.master,
        application__workers=args.workers,
        transport__channel=args.channel,
        scheduling__scheduler=args.scheduler,
    )
    cls = find(env)
    if args.options:
        section = [item for item in items_of([cls]) if item.section not in ("application", "transport")]
        print(describe(section) or f"# {cls.__name__} has no options of its own.")
        return EXIT_OK
    return run_node(env[cls], args, is_server=False)
