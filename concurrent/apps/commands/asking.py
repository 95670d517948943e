"""What the commands on jobs share: they ask a master, and name a job whose name is near to what was typed."""

from __future__ import annotations

import argparse
import shlex
from typing import Final

from concurrent.apps.api import PORT_DEFAULT, parse_address
from concurrent.apps.application import ApplicationSettings
from concurrent.apps.commands.common import make_environment
from concurrent.apps.jobmaster import JobMaster
from concurrent.core.items import Host

__all__ = ["JobMaster", "add_job_arguments", "add_master_arguments", "master_of", "what_to_type"]

DEFAULT: Final = Host("127.0.0.1", PORT_DEFAULT)


def add_job_arguments(parser: argparse.ArgumentParser) -> None:
    """Have a command take a job, and the address of its master."""
    parser.add_argument("job", metavar="JOB", help="the name or the id of the job")
    add_master_arguments(parser)


def add_master_arguments(parser: argparse.ArgumentParser, what: str = "the master") -> None:
    """Have a command take the address of a master.

    :param what: is at the address, for people.
    """
    parser.add_argument(
        "-m", "--master", metavar="HOST:PORT",
        help=f"{what} (that of option application.master, else 127.0.0.1:{PORT_DEFAULT})",
    )  # fmt: skip


def what_to_type(command: str, job: str, master: Host) -> str:
    """Return a command on a job, ready to be pasted whatever the job is called."""
    name = shlex.quote(job)
    return (
        f"concurrent {command} -m {master} -- {name}"
        if job.startswith("-")
        else f"concurrent {command} {name} -m {master}"
    )


def master_of(args: argparse.Namespace) -> Host:
    """Return the master that the arguments or the configuration name.

    :raises ConfigurationError: if that is no address.
    """
    if args.master:
        return parse_address(args.master, "--master")
    return make_environment(args)[ApplicationSettings].master_host() or DEFAULT
