"""What the commands on jobs share: they ask a master, and name a job whose name is near to what was typed."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from typing import Final

from concurrent.apps.access import MANAGING, Way
from concurrent.apps.api import PORT_DEFAULT
from concurrent.apps.applicationsettings import ApplicationSettings
from concurrent.apps.commands.common import make_environment
from concurrent.apps.jobmaster import JobMaster
from concurrent.apps.transportsettings import TransportSettings
from concurrent.core.items import Host
from concurrent.transport.security.roles import Role

__all__ = ["SEEING", "JobMaster", "add_job_arguments", "add_master_arguments", "way_of", "what_to_type"]


SEEING: Final = (*MANAGING, Role.OBSERVE)
"""As whom commands act that show more to who may touch the work."""


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
        help=f"{what}; @FILE: the address is in that file (that of CONCURRENT_MASTER, else of option "
        f"application.master, else of the cluster that was joined, else 127.0.0.1:{PORT_DEFAULT})",
    )  # fmt: skip


def what_to_type(command: str, job: str, master: Host | str | None) -> str:
    """Return a command on a job or a task, ready to be pasted whatever that is called.

    :param master: where the master is; None if that need not be said.
    """
    name, where = shlex.quote(job), f" -m {master}" if master else ""
    return (
        f"concurrent {command}{where} -- {name}"
        if job.startswith("-")
        else f"concurrent {command} {name}{where}"
    )


def way_of(args: argparse.Namespace, roles: Sequence[Role] = MANAGING) -> Way:
    """Return the way to the master that the arguments, the configuration or the keys of this user name.

    :param roles: as whom to go it, see :meth:`.Access.towards`.
    :raises ConfigurationError: if that is no address.
    :raises NotAllowed: if there is no key for it.
    """
    env = make_environment(args)
    address, source = env[ApplicationSettings].running_master(args.master, "--master")
    return env[TransportSettings].access().way(address, roles, source)
