"""What the commands share that act on tasks: how these are named, what is asked before, and what is said."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from concurrent.apps.commands.asking import add_master_arguments
from concurrent.apps.commands.output import add_json_argument
from concurrent.core.errors import ConfigurationError

__all__ = ["add_choice_arguments", "agrees", "choice_of"]


def add_choice_arguments(parser: argparse.ArgumentParser) -> None:
    """Have a command take tasks by what they have in common, and the address of their master."""
    parser.add_argument("--job", metavar="JOB", default="", help="the tasks of this job, by its name or its id")
    parser.add_argument("--function", metavar="NAME", default="", help="the tasks of this name")
    parser.add_argument(
        "--application", metavar="NAME", default="",
        help="the tasks of this program, or of all jobs of this application",
    )  # fmt: skip
    add_master_arguments(parser)
    add_json_argument(parser, "print the answer of the master, as JSON")


def choice_of(args: argparse.Namespace, tasks: list[str]) -> dict[str, Any]:
    """Return which tasks the arguments mean, as methods of a master take it.

    :raises ConfigurationError: if they mean none.
    """
    which = {"job": args.job, "function": args.function, "application": args.application}
    named = {name: value for name, value in which.items() if value}
    if not (tasks or named):
        raise ConfigurationError(
            "no task is named",
            thing="TASK",
            remedy="Name tasks, or use --job, --function or --application",
        )
    return {"tasks": tasks, **named} if tasks else named


def agrees(question: str, instead: str) -> bool:
    """Ask the person.

    :param instead: what happens, for those who cannot be asked.
    :raises ConfigurationError: if there is no terminal to ask on.
    """
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"{instead}, and there is no terminal to confirm it on",
            thing="--yes",
            remedy="If that is meant, add --yes",
        )
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
