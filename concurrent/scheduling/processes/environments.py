"""Environments that are made from requirements, on the disk of a machine: each once, for all slaves of a user.

Beside the folder of an environment are three files. ``NAME.ready`` is written last of all, and says that it is
whole, and what its interpreter imports from. ``NAME.use`` is locked, shared, by each slave that uses it; who
removes it needs that lock alone. ``NAME.making`` is locked by who makes or removes it. The kernel frees the
locks of a process that ends, however it ends, and what is there without ``NAME.ready`` is made anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from concurrent.core.userfolder import user_folder
from concurrent.scheduling.processes.otherpython import OtherPython, look_at

__all__ = ["Held", "environment_folder", "hold", "make", "name_of", "trim"]

NAME_DIGITS: Final = 16

NICENESS: Final = 10
"""What makes environments gives way to tasks."""


class Held(NamedTuple):
    """An environment that is used: its interpreter, and the descriptor whose lock keeps it there."""

    python: OtherPython
    lock: int


def name_of(text: str, executable: str) -> str:
    """Return the name of the environment for requirements and an interpreter."""
    what = "\0".join((text, os.path.realpath(executable), executable, sys.implementation.cache_tag or ""))
    return hashlib.sha256(what.encode()).hexdigest()[:NAME_DIGITS]


def environment_folder(given: Path | None) -> Path:
    """Return where this user's environments are, which is there from now on; see :func:`.user_folder`."""
    return user_folder("environments", given, "slave.environment_folder")


def hold(folder: Path, name: str) -> Held | None:
    """Return an environment that is whole, which stays until its lock is closed; None if there is none."""
    lock = os.open(folder / f"{name}.use", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with contextlib.ExitStack() as undo:
        undo.callback(os.close, lock)
        with contextlib.suppress(BlockingIOError, FileNotFoundError, ValueError, TypeError):
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            folders = json.loads((folder / f"{name}.ready").read_text(encoding="utf-8"))
            os.utime(lock)  # the longest unused go first
            undo.pop_all()
            return Held(OtherPython(str(_python(folder, name)), tuple(folders)), lock)
    return None


def make(text: str, folder: str, name: str, bytes_max: int) -> None:
    """Make an environment, unless another process has done so meanwhile. Main thread of a process of its own.

    What pip says is its output. When it cannot be made the process ends with an exit code that is not 0.

    :param text: the requirements, as in a file for pip.
    :param bytes_max: how much environments may take together; others go that are not used.
    """
    place = Path(folder)
    os.nice(NICENESS)
    _clear(place)
    with _making(place, name, is_waited=True):
        if _is_whole(place, name):
            return
        _remove(place, name)
        try:
            _fill(text, place, name)
        except BaseException:  # boundary: nothing half is left; raised again
            _remove(place, name)
            raise
    trim(place, bytes_max, keep=name)


def trim(folder: Path, bytes_max: int, *, keep: str = "") -> list[str]:
    """Remove environments that nobody uses, the longest unused first, until they take no more than that.

    :param keep: the name of one that stays.
    :returns: the names of those that are gone.
    """
    uses = {file.stem: file.stat().st_mtime for file in folder.glob("*.use") if file.with_suffix("").is_dir()}
    sizes = {name: _size_bytes(folder / name) for name in uses}
    total = sum(sizes.values())
    gone: list[str] = []
    for name in sorted(uses, key=lambda one: uses[one]):
        if total > bytes_max and name != keep and _remove_unused(folder, name):
            total -= sizes[name]
            gone.append(name)
    return gone


def _is_whole(folder: Path, name: str) -> bool:
    held = hold(folder, name)
    if held is not None:
        os.close(held.lock)
    return held is not None


def _clear(folder: Path) -> None:
    """Remove what is left of environments whose making was killed."""
    for file in folder.glob("*.making"):
        name = file.stem
        with contextlib.suppress(BlockingIOError), _making(folder, name, is_waited=False):
            if not (folder / f"{name}.ready").exists():
                _remove(folder, name)


def _fill(text: str, folder: Path, name: str) -> None:
    target = folder / name
    file = folder / f"{name}.txt"
    file.write_text(text, encoding="utf-8")
    temporary = folder / f"{name}.tmp"
    temporary.mkdir()
    variables = {**_variables(folder), "TMPDIR": str(temporary)}
    for command in _commands(target, file):
        code = subprocess.run(
            command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, check=False
        ).returncode  # in a folder without settings of some project
        if code:
            raise SystemExit(code if code > 0 else 1)
    python = look_at(str(_python(folder, name)))
    half = folder / f"{name}.half"
    shutil.rmtree(temporary, ignore_errors=True)
    half.write_text(json.dumps(python.folders), encoding="utf-8")
    half.rename(folder / f"{name}.ready")


def _commands(target: Path, file: Path) -> Iterator[Sequence[str]]:
    """Yield what makes an environment: with uv if it is there, for that is faster."""
    python = str(target / "bin" / "python")
    if uv := shutil.which("uv"):
        yield uv, "venv", "--python", sys.executable, str(target)
        yield uv, "pip", "install", "--python", python, "-r", str(file)
        return
    yield sys.executable, "-I", "-m", "venv", str(target)
    quiet = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")
    yield python, "-I", "-m", "pip", "install", *quiet, "-r", str(file)


def _variables(folder: Path) -> dict[str, str]:
    """Return the variables of what makes an environment: uv wants a cache, and not each user has one."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    with contextlib.suppress(OSError):
        if os.path.isabs(cache):
            os.makedirs(cache, exist_ok=True)
    is_there = os.path.isabs(cache) and os.access(cache, os.W_OK | os.X_OK)
    return dict(os.environ) if is_there else {"UV_CACHE_DIR": str(folder / "uv"), **os.environ}


def _python(folder: Path, name: str) -> Path:
    return folder / name / "bin" / "python"


@contextlib.contextmanager
def _making(folder: Path, name: str, *, is_waited: bool) -> Iterator[None]:
    """Hold the lock of who makes or removes an environment.

    :raises BlockingIOError: if another process has it, and it is not waited for.
    """
    with (folder / f"{name}.making").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if is_waited else fcntl.LOCK_NB))
        yield


def _remove_unused(folder: Path, name: str) -> bool:
    """Remove an environment; tells whether nobody makes or uses it."""
    with (
        contextlib.suppress(BlockingIOError),
        _making(folder, name, is_waited=False),
        (folder / f"{name}.use").open("a") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(folder, name)
        return True
    return False


def _remove(folder: Path, name: str) -> None:
    (folder / f"{name}.ready").unlink(missing_ok=True)  # first: it is not whole any more
    (folder / f"{name}.txt").unlink(missing_ok=True)
    for place in (folder / name, folder / f"{name}.tmp"):
        shutil.rmtree(place, ignore_errors=True)


def _size_bytes(folder: Path) -> int:
    """Return how much the files of a folder take; links are not followed."""
    total = 0
    for place, _, files in os.walk(folder):
        for file in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, file)).st_size
    return total
