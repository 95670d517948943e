"""What the person who runs the benchmarks asks for; passed on to the process of each case."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

__all__ = ["PEERS", "REFERENCES", "Options", "make_parser"]

REFERENCES = ("multiprocessing", "processpool")
"""These always run: every ratio is to one of them."""

PEERS = ("loky", "ray", "dask", "ipyparallel")
CHANNELS = ("zmq", "tcp")
REPEAT = 3

T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """See the module.

    :param is_quick: small amounts, one repetition: shows that all works, not how fast.
    :param repeat: how often each system is measured.
    :param peers: which other systems are measured too.
    :param peer: the one that this process measures; nothing for Concurrent and the references.
    :param channel: the compute channel, nothing for the default of the framework.
    :param scheduler: the class name of the scheduler, nothing for the default of the framework.
    :param workers: how many worker processes each system has.
    """

    is_quick: bool = False
    repeat: int = REPEAT
    peers: tuple[str, ...] = ()
    peer: str = ""
    channel: str = ""
    scheduler: str = ""
    workers: int = 2

    def scaled(self, full: T, quick: T) -> T:
        """Return the amount for a full or for a quick run."""
        return quick if self.is_quick else full

    def for_peer(self, name: str) -> Options:
        """Return the same for the process that measures a peer."""
        return replace(self, peer=name)

    def configuration(self) -> dict[str, str]:
        """Return the options of the framework, as ``section.option`` to text."""
        texts = {"transport.channel": self.channel, "scheduling.scheduler": self.scheduler}
        return {name: text for name, text in texts.items() if text}

    def to_text(self) -> str:
        """Return it as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Options:
        """Return what :meth:`to_text` wrote."""
        values = json.loads(text)
        return cls(**{**values, "peers": tuple(values["peers"])})

    @classmethod
    def from_arguments(cls, args: argparse.Namespace) -> Options:
        """Return what the command line asks for."""
        return cls(
            is_quick=args.quick,
            repeat=args.repeat or (1 if args.quick else REPEAT),
            peers=tuple(dict.fromkeys(name for name in args.vs if name in PEERS)),
            channel=args.channel,
            scheduler=args.scheduler,
            workers=args.workers,
        )


def make_parser(case_names: list[str]) -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures Concurrent beside other ways to run tasks, in the same run.",
        epilog=f"Cases: {', '.join(case_names)}.",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="the cases to run; all by default")
    parser.add_argument("-q", "--quick", action="store_true", help="small amounts: about a minute for all")
    parser.add_argument("-r", "--repeat", type=_count, help=f"how often each is measured ({REPEAT})")
    parser.add_argument("-w", "--workers", type=_count, default=2, help="worker processes of each (2)")
    parser.add_argument("-j", "--json", metavar="FILE", help="write everything into this file")
    parser.add_argument(
        "--vs", metavar="SYSTEMS", type=_systems, default=(),
        help=f"more to measure beside it, with commas, where installed: {', '.join(PEERS)}",
    )  # fmt: skip
    parser.add_argument("--channel", choices=CHANNELS, default="", help="the compute channel")
    parser.add_argument("--scheduler", default="", help="the class name of the scheduler")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{count} is less than 1")
    return count


def _systems(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in (*REFERENCES, *PEERS)]
    if unknown:
        known = ", ".join((*REFERENCES, *PEERS))
        raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there are {known}")
    return names
