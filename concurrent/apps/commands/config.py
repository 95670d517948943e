"""``concurrent config``: print all options with their documentation, or where each value came from."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from concurrent.apps.api import EXIT_FAILED, EXIT_OK
from concurrent.apps.appclass import application_class
from concurrent.apps.commands.common import Subparsers, common_parser, make_environment
from concurrent.apps.commands.output import add_json_argument, listed, print_json
from concurrent.apps.master import MasterNode
from concurrent.apps.node import Node, check_made
from concurrent.apps.nodeclass import node_class, task_manager_class
from concurrent.apps.slave import SlaveNode
from concurrent.core.check import problems_of
from concurrent.core.config import describe
from concurrent.core.environment import Environment
from concurrent.core.errors import ConcurrentError, ConfigurationError
from concurrent.core.nearest import did_you_mean
from concurrent.scheduling.schedulers.guard import GuardedScheduler

__all__ = ["add_parser", "run"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "config",
        parents=[common_parser()],
        help="print the configuration",
        description="Print every option with its documentation, as a configuration file.",
    )
    parser.add_argument("app", metavar="APP", nargs="?", help="an application whose options shall be there too")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("-s", "--section", help="print one section only")
    what.add_argument("--origins", action="store_true", help="print each value and where it came from instead")
    what.add_argument(
        "--check", action="store_true",
        help="print what is unknown or what a node would refuse instead; exit code 1 if anything is",
    )  # fmt: skip
    add_json_argument(parser, "print each option with its value and where it came from, as JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the configuration."""
    env = make_environment(args)
    if args.app is not None:
        application_class(env, args.app)
    if args.check:
        problems = list(dict.fromkeys([*problems_of(env), *_problems_of_nodes(env)]))
        if args.json:
            print_json({**listed(problems), "ok": not problems})
            return EXIT_FAILED if problems else EXIT_OK
        print("\n".join(problems) if problems else "the configuration is right")
        return EXIT_FAILED if problems else EXIT_OK
    _check_section(args.section, env)
    if args.json:
        print_json(listed(_options(env, args.section)))
        return EXIT_OK
    if args.origins:
        for section, option, value, origin in env.config.explain():
            print(f"[{section}] {option} = {value}  ({origin})")
        return EXIT_OK
    items = [item for item in env.config.items() if args.section in (None, item.section)]
    print(describe(items))
    return EXIT_OK


def _check_section(section: str | None, env: Environment) -> None:
    """Raise ConfigurationError if there is no section of that name."""
    known = sorted({item.section for item in env.config.items()})
    if section is not None and section not in known:
        raise ConfigurationError(
            f"there is no section [{section}]",
            thing="--section",
            value=section,
            remedy=f"{did_you_mean(section, known)}There are {', '.join(known)}",
        )


def _options(env: Environment, section: str | None) -> Iterator[dict[str, str]]:
    """Yield each option, with its value as text, where that came from, and what it is."""
    text_by_key = {(item.section, item.name): item.doc for item in env.config.items()}
    for one in env.config.explain():
        if section in (None, one.section):
            yield {**one._asdict(), "text": text_by_key.get((one.section, one.option), "")}


def _problems_of_nodes(env: Environment) -> list[str]:
    """Return what a master or slave would refuse besides."""
    nodes: tuple[tuple[str, type[Node]], ...] = (("master", MasterNode), ("slave", SlaveNode))
    problems = []
    for option, base in nodes:
        try:
            check_made(env[node_class(env, option, base)])
        except ConcurrentError as error:
            problems.append(str(error))
    try:
        guarded = GuardedScheduler(MasterNode.scheduler.read(env), env, lambda _delay_s: None, lambda: 0.0)
        env[task_manager_class(env, guarded.manager_name())]
    except ConcurrentError as error:
        problems.append(str(error))
    return problems
