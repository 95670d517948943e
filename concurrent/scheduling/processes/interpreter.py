"""Starts new Python interpreters that find the same modules as this one, and are like it otherwise too."""

from __future__ import annotations

import concurrent
import contextlib
import os
import pickle
import secrets
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from concurrent.scheduling.processes.otherpython import OtherPython, prelude_for
from concurrent.scheduling.processes.processstate import take_over

__all__ = ["begin", "interpreter_options", "new_hash_seed", "own_hash_seed", "start_interpreter"]

HASH_SEED = "PYTHONHASHSEED"
HASH_SEEDS = 2**32

PRELUDE = "import sys, concurrent; sys.path[:] = {path!r}; concurrent.__path__[:] = {joined!r}; "
BEGIN = "from concurrent.scheduling.processes.interpreter import begin; begin(); "


def start_interpreter(
    statements: str,
    state: Mapping[str, Any],
    *,
    hash_seed: int | None = None,
    pass_fds: Sequence[int] = (),
    output: int | None = None,
    is_own_session: bool = False,
    python: OtherPython | None = None,
) -> subprocess.Popen[bytes]:
    """Start an interpreter that runs ``statements``. Any thread.

    :param state: what it takes over, see ``processstate.py``.
    :param hash_seed: what its hashes of text depend on; None: as the environment has it.
    :param pass_fds: descriptors that it shall have.
    :param output: the descriptor that it prints to; None: where this process prints.
    :param python: another interpreter; None: this one, and it imports from the same folders.
    :raises OSError: if it cannot be started.
    """
    if python is None:
        path = [os.path.abspath(entry) for entry in sys.path]
        prelude = PRELUDE.format(path=path, joined=list(concurrent.__path__))
    else:
        prelude = prelude_for()
    with _file_of(pickle.dumps(dict(state))) as file:
        return subprocess.Popen(
            [
                sys.executable if python is None else python.executable,
                *interpreter_options(),
                "-c",
                prelude + BEGIN + statements,
            ],
            stdin=file,
            stdout=output if output is not None or sys.__stdout__ is not None else subprocess.DEVNULL,
            stderr=output if output is not None or sys.__stderr__ is not None else subprocess.DEVNULL,
            env=None if hash_seed is None else {**os.environ, HASH_SEED: str(hash_seed)},
            pass_fds=pass_fds,
            start_new_session=is_own_session,
        )


def begin() -> None:
    """Take over what was handed on as standard input, which is empty then. Main thread of a new interpreter."""
    with open(0, "rb", closefd=False) as file:
        state = pickle.load(file)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # as long as the process lives
    take_over(state)


def own_hash_seed() -> int | None:
    """Return what the hashes of text depend on in this process; None if chance has decided that."""
    if not sys.flags.hash_randomization:
        return 0
    if sys.flags.ignore_environment:
        return None
    text = os.environ.get(HASH_SEED, "")
    with contextlib.suppress(OSError):  # the environment may have been changed since the start
        name = os.fsencode(HASH_SEED) + b"="
        entries = Path("/proc/self/environ").read_bytes().split(b"\0")
        text = next((os.fsdecode(entry[len(name) :]) for entry in entries if entry.startswith(name)), "")
    return int(text) if text.isdecimal() else None


def new_hash_seed(lasting: str = "") -> int | None:
    """Return a seed for interpreters that this process starts: its own if that is known, else another one.

    None if interpreters pay no heed to it, since this one was told to ignore the environment.

    :param lasting: a text that gives the same seed each time; empty for a random seed.
    """
    own = own_hash_seed()
    if own is not None or sys.flags.ignore_environment:
        return own
    return zlib.crc32(lasting.encode()) % HASH_SEEDS if lasting else secrets.randbelow(HASH_SEEDS)


def interpreter_options() -> list[str]:
    """Return the options of the command line that this interpreter was started with, such as -O, -W and -X."""
    options: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    own = getattr(sys, "_xoptions", {})
    texts = [name if value is True else f"{name}={value}" for name, value in own.items() if name != "dev"]
    for text in texts:
        if text not in options:
            options += ["-X", text]
    return options


def _file_of(data: bytes) -> IO[bytes]:
    """Return a file without a name that can be read from its beginning."""
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    file.write(data)
    file.flush()
    file.seek(0)
    return file
