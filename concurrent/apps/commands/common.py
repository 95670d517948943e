"""What the commands share: their common arguments, the environment made of them, and running a node."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from concurrent.apps.introduction import introduce
from concurrent.apps.node import Node, check_made
from concurrent.core.check import warnings_of
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError
from concurrent.core.logs import LogSettings

__all__ = ["Subparsers", "arguments_of", "common_parser", "make_environment", "run_node"]

COMMAND_LINE = "command line: "
"""How a warning begins that is about what the command line sets."""

Subparsers = Any
"""What argparse returns of ``add_subparsers``; it has no public name there."""


def common_parser() -> argparse.ArgumentParser:
    """Return the arguments that most commands take, as a parent for their parsers."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("configuration")
    group.add_argument("-e", "--env", metavar="DIR", type=Path, help="the environment folder to use")
    group.add_argument(
        "-c", "--config", metavar="FILE", action="append", default=[],
        help="a configuration file; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "-o", "--option", metavar="SECTION.OPTION=VALUE", action="append", default=[],
        help="set one option; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--plugin", metavar="PLUGIN", action="append", default=[],
        help="load a plug-in: a file or the name of a module; may be repeated",
    )  # fmt: skip
    group = parser.add_argument_group("output")
    group.add_argument(
        "-v", "--verbose", action="count", default=0,
        help="log what is configured, where, and who joins; -vv: log everything",
    )  # fmt: skip
    group.add_argument(
        "-q", "--quiet", action="store_true", help="log warnings and errors only, and show no progress"
    )
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def arguments_of(args: argparse.Namespace) -> list[str]:
    """Return the arguments that say how the environment is made, as on a command line."""
    arguments = [] if args.env is None else ["--env", str(args.env)]
    for option, values in (("--config", args.config), ("--option", args.option), ("--plugin", args.plugin)):
        for value in values:
            arguments += [option, value]
    return arguments


def make_environment(args: argparse.Namespace, **overrides: Any) -> Environment:
    """Return the environment that the arguments ask for, with its plug-ins loaded.

    :param overrides: options that arguments of their own set, as ``section__option``; None is left out.
    :raises ConcurrentError: if a part of it is missing or wrong.
    """
    texts = {name.replace("__", "."): str(value) for name, value in overrides.items() if value is not None}
    if args.quiet:
        texts["logging.task_output"] = "false"
    for assignment in args.option:
        name, separator, text = assignment.partition("=")
        if not separator:
            raise ConfigurationError(
                f"-o {assignment} sets nothing",
                thing=assignment,
                remedy="Write -o section.option=value",
            )
        texts[name.strip()] = text.strip()
    if args.env is not None:
        env = Environment.open(args.env, overrides=texts, config_files=args.config)
    else:
        env = Environment(overrides=texts, config_files=args.config)
    env.load_plugins()
    for plugin in args.plugin:
        env.load_plugin(plugin)
    return env


def run_node(node: Node, args: argparse.Namespace, *, is_server: bool) -> int:
    """Run a node with its log until it ends; returns the exit code.

    :param is_server: whether it logs what it does; else warnings and errors only, unless configured.
    :raises ConcurrentError: if it cannot do its work.
    """
    check_made(node)
    settings = node.env[LogSettings]
    level = None
    if args.verbose:
        level = "debug" if args.verbose > 1 else "info"
    elif args.quiet or not (is_server or node.config.is_set("logging", "level")):
        level = "warning"
    node_log = settings.open(node.node_id, level=level)
    node_log.start()
    try:
        for warning in warnings_of(node.env):
            if warning.startswith(COMMAND_LINE):  # just typed, so most likely mistyped
                raise ConfigurationError(warning.replace(" is ignored", ""), thing="--option")
        node.env.warn_of_unknown()
        if args.verbose:
            introduce(node)
        return node.run()
    finally:
        node_log.stop()
