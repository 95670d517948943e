"""What ``concurrent app`` does of its own where the work is a job: ``--job`` and ``--detach``."""

from __future__ import annotations

import argparse
import errno
import getpass
import platform
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress

from concurrent.apps.access import MANAGING
from concurrent.apps.api import EXIT_OK
from concurrent.apps.application import ApplicationNode
from concurrent.apps.applicationsettings import ApplicationSettings
from concurrent.apps.commands.asking import JobMaster, what_to_type
from concurrent.apps.commands.common import run_node
from concurrent.apps.jobrun import JobRun
from concurrent.apps.jobstatus import CANCELLED, JobDetails
from concurrent.apps.jobwish import KEEP_AS_CONFIGURED, JobWish
from concurrent.apps.programrecord import ProgramRecord
from concurrent.apps.runtime import describe_runtime
from concurrent.apps.transportsettings import TransportSettings
from concurrent.core.environment import Environment
from concurrent.core.errors import (
    CallTimeout,
    ConfigurationError,
    ConnectionLost,
    JobTaken,
    JobUnknown,
    NodeError,
)
from concurrent.core.items import Host

__all__ = ["job_run_of", "over_before", "run_for_job", "tell_over", "this_user"]


def job_run_of(
    args: argparse.Namespace,
    env: Environment,
    cls: type[ApplicationNode],
    record: Callable[[], ProgramRecord],
) -> JobRun | None:
    """Return what an application is to do about its job; None if it is to have none.

    :param record: returns how the program was started.
    :raises ConfigurationError: if no master is named: an embedded cluster ends with its program.
    """
    option = "--job" if args.job else "--detach" if args.detach else "--attach"
    if not (args.job or args.detach or args.attach):
        return None
    named = env[ApplicationSettings].named_master()
    if named is None:
        raise ConfigurationError(
            f"{option} needs a master that outlives this program, and none is named",
            thing=option,
            remedy="Start one with 'concurrent master', then add --master HOST:PORT",
        )
    name = args.job or f"{cls.__name__.lower()}-{secrets.token_hex(2)}"
    wish = JobWish(
        job=args.attach or "",
        name="" if args.attach else name,
        user=this_user(),
        must_exist=bool(args.attach),
        keep_s=KEEP_AS_CONFIGURED,
        wants_tasks=True,
        program=record().to_json(),
        fingerprint=describe_runtime(),
    )
    return JobRun(wish, named.host, is_detached=args.detach, tell=_tell)


def over_before(args: argparse.Namespace, env: Environment, record: Callable[[], ProgramRecord]) -> bool:
    """Tell whether the job is over that ``--job`` names, and say so to the user.

    A master that does not answer is waited for later.

    :param record: returns how the program was started.
    :raises ConfigurationError: if the name is that of another program's job.
    """
    named = env[ApplicationSettings].named_master()
    if not args.job or named is None:
        return False
    way = env[TransportSettings].access().way(named.host, MANAGING, named.source)
    with suppress(ConnectionLost, CallTimeout, NodeError), JobMaster(way) as asked:
        job = asked.job(args.job)
        program = ProgramRecord.from_json(job.program).application
        if (job.user, program) != (this_user(), record().application):
            raise ConfigurationError(
                f"job {job.title} is that of {job.user} and the program {program or job.kind}",
                thing="--job",
                value=args.job,
                remedy="Choose another name; or take its results with 'concurrent attach --app'",
            )
        if job.is_over or job.how == CANCELLED:
            tell_over(job, named.host)
            return True
    return False


def run_for_job(node: ApplicationNode, job: JobRun, args: argparse.Namespace) -> int:
    """Run an application for its job and say what has become of that; returns the exit code.

    The id and the name of a job that is detached are the one line on standard output.
    """
    is_ours = True
    try:
        code = run_node(node, args, is_server=False)
    except (JobTaken, JobUnknown):
        is_ours = False
        raise
    finally:
        if is_ours and job.answer.job and job.goes_on:
            _tell_left(job)
    if job.is_detached and job.goes_on and code == EXIT_OK:
        _print(f"{job.answer.job} {job.answer.name}")
        _tell(
            f"job {job.name} is kept by the master at {job.master} (durability {job.answer.durability}); "
            f"take its results with: {_attach(job)}"
        )
    return code


def _tell_left(job: JobRun) -> None:
    """Say how a person comes back to a job, unless the program has left as it was meant to."""
    if not job.has_begun:
        _tell(
            f"job {job.name} was left before all was pushed: type the same command again, or {_attach(job)}, "
            f"to push the rest; or {what_to_type('cancel', job.name, job.master)}"
        )
    elif not job.is_detached:
        _tell(f"job {job.name} goes on without this program; come back with: {_attach(job)}")


def this_user() -> str:
    """Return who runs this program, and where: ``user@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may have a number only
        user = ""
    return f"{user}@{platform.node()}"


def tell_over(job: JobDetails, master: Host) -> None:
    """Say what has become of a job of which nothing is to come."""
    unread = f"{job.unread:,} results were not taken" if job.unread else "all results were taken"
    _tell(
        f"job {job.title} has ended{f' ({job.how})' if job.how else ''}: {job.finished:,} tasks finished, "
        f"{job.failed:,} failed, {job.cancelled:,} cancelled, {unread}; to run it anew, type first: "
        f"{what_to_type('forget', job.title, master)}"
    )


def _attach(job: JobRun) -> str:
    return what_to_type("attach", job.name, job.master)


def _print(line: str) -> None:
    """Print a line, unless the terminal was closed meanwhile."""
    try:
        print(line, flush=True)
    except OSError as error:
        if error.errno != errno.EIO:
            raise


def _tell(text: str) -> None:
    """Say something to a person, who may read standard output with a program, or may have left."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)
