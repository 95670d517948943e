"""``concurrent metrics``: print the figures of a cluster as Prometheus reads them."""

from __future__ import annotations

import argparse

from concurrent.apps.access import OBSERVING
from concurrent.apps.api import for_terminal
from concurrent.apps.commands.asking import add_master_arguments, way_of
from concurrent.apps.commands.common import Subparsers, common_parser
from concurrent.apps.commands.output import add_output_arguments, show
from concurrent.apps.observemaster import ObserveMaster

__all__ = ["add_parser", "run", "values_of"]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "metrics",
        parents=[common_parser()],
        help="print the figures of a cluster",
        description="Print the figures of a cluster as Prometheus reads them at /metrics of the master.",
    )
    add_master_arguments(parser)
    add_output_arguments(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Ask the master and print its answer."""
    with ObserveMaster(way_of(args, OBSERVING)) as master:

        def ask() -> str | dict[str, float]:
            text = master.text("/metrics")
            return values_of(text) if args.json else text

        return show(args, ask, lambda text, _screen: for_terminal(text.rstrip("\n")))


def values_of(text: str) -> dict[str, float]:
    """Return the figures of a text in the format of Prometheus, by their names with labels."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
