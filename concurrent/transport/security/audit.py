"""The audit log: who has done what, one line of JSON each, and each with the hash of the line before.

A line that is changed, left out or put in later breaks the chain; that the last lines are missing can be seen
only by whoever has kept a later hash. Several processes write to the same file, each line under a lock of it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from concurrent.core.loggers import get_log
from concurrent.transport.security.auditing import REFUSED
from concurrent.transport.security.identity import THIS_USER, Identity

__all__ = ["AuditLine", "AuditLog", "audit_files", "read_audit"]

FIRST: Final = "0" * 64
"""What the first line of all has in the place of a hash."""

TEXTS: Final = ("identity", "serial", "address", "action", "object", "result")
"""What each line says besides the time and the hash."""

FILE_MODE: Final = 0o600
FILE_BYTES_MAX: Final = 16 << 20
FILES_MAX: Final = 8
TEXT_LENGTH_MAX: Final = 300
LINE_BYTES_MAX: Final = 16 << 10

REFUSALS_MAX: Final = 30
LINES_MAX: Final = 120
PERIOD_S: Final = 60.0
"""So many refusals, and lines of other kinds, are written of each member in so many seconds, and so many
refusals of all strangers together; of more only the count is. So nobody fills the files to be rid of what is in
them, or hides what another one does."""

log = get_log(__name__)


class _Kind(NamedTuple):
    """Lines of which so many may be written in a period: whose they are, and whether they are refusals."""

    who: str
    is_refusal: bool

    @property
    def lines_max(self) -> int:
        return REFUSALS_MAX if self.is_refusal else LINES_MAX


class AuditLog:
    """Writes such a log, an ``IAudit``. One thread; what cannot be written is logged, and stops nothing.

    :param path: the file; older ones have a number behind their name.
    :param bytes_max: above that size a new file is begun.
    """

    def __init__(self, path: Path, *, bytes_max: int = FILE_BYTES_MAX) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._counts: Counter[_Kind] = Counter()
        self._period_end = 0.0

    def write(self, action: str, identity: Identity | None, address: str, obj: str, result: str) -> None:
        """Write a line. None of the texts may have a secret in it.

        :param action: what was done, in one word, such as ``join``.
        :param identity: who did it; None: somebody without an identity, or the master itself.
        :param address: from where.
        :param obj: what it was done to.
        :param result: what came of it; begins with ``refused`` where it was not allowed. Of many lines of one
            member most are only counted, and so are many refusals of strangers.
        """
        who = "" if identity is None else str(identity)
        serial = "" if identity is None else identity.serial
        texts = (who, serial, address, action, obj, result)
        now = time.time()
        self._end_period(now)
        is_refusal = result.startswith(REFUSED)
        if is_refusal or not (identity is None or identity == THIS_USER):
            kind = _Kind(who, is_refusal)
            self._counts[kind] += 1
            if self._counts[kind] > kind.lines_max:
                return
        self._append(now, dict(zip(TEXTS, texts, strict=True)))

    def close(self) -> None:
        """Write how many lines were only counted."""
        self._end_period(float("inf"))

    def _end_period(self, now: float) -> None:
        if now < self._period_end:
            return
        counts, self._counts = self._counts, Counter()
        self._period_end = now + PERIOD_S
        for kind, count in counts.items():
            left_out = count - kind.lines_max
            if left_out > 0:
                result = f"{REFUSED if kind.is_refusal else 'done'} {left_out} more times"
                texts = {"identity": kind.who, "action": "several", "result": result}
                self._append(time.time(), dict.fromkeys(TEXTS, "") | texts)

    def _append(self, now: float, values: dict[str, str]) -> None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        texts = {key: text[:TEXT_LENGTH_MAX] for key, text in values.items()}
        try:
            fd = os.open(
                self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE
            )
            with open(fd, "r+b", buffering=0):
                fcntl.flock(fd, fcntl.LOCK_EX)
                if not _is_at(fd, self._path):  # another process has begun a new file
                    return self._append(now, values)
                tail, is_cut = _last_line(fd)
                line = {
                    "time": f"{moment}.{int(now % 1 * 1000):03}Z",
                    **texts,
                    "before": tail or self._of_older(),
                }
                _write_whole(fd, b"\n" * is_cut + json.dumps(line).encode() + b"\n")
                if os.fstat(fd).st_size > self._bytes_max:
                    self._begin_file()
        except OSError as error:
            log.error("the audit log %s cannot be written: %s", self._path, error.strerror or error)
        return None

    def _of_older(self) -> str:
        """Return the hash of the last line of the file before this one."""
        try:
            fd = os.open(_numbered(self._path, 1), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return FIRST
        try:
            return _last_line(fd)[0] or FIRST
        finally:
            os.close(fd)

    def _begin_file(self) -> None:
        for number in range(FILES_MAX - 2, -1, -1):
            try:
                os.replace(_numbered(self._path, number), _numbered(self._path, number + 1))
            except FileNotFoundError:
                continue


class AuditLine(NamedTuple):
    """One line as it is read.

    :param file: where it is.
    :param number: which one, from 1.
    :param values: what it says; empty if that cannot be read.
    :param problem: why it is not to be believed; empty if it is.
    """

    file: Path
    number: int
    values: dict[str, Any]
    problem: str


def audit_files(path: Path) -> list[Path]:
    """Return the files of a log that are there, the oldest first."""
    files = [_numbered(path, number) for number in range(FILES_MAX - 1, -1, -1)]
    return [file for file in files if file.exists()]


def read_audit(files: Iterable[Path]) -> Iterator[AuditLine]:
    """Return the lines of files that follow each other, and what is wrong with each.

    What the first line refers to is not there to be compared, unless it is the first of all.
    """
    before: str | None = None
    for file in files:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                content = line.removesuffix(b"\n")
                values, problem = _read(content)
                if not problem and before is not None and values.get("before") != before:
                    problem = "the line before it is another one than when it was written"
                before = _hash(content)
                yield AuditLine(file, number, values, problem)


def _read(content: bytes) -> tuple[dict[str, Any], str]:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        return {}, "it is cut, or no JSON"
    return (values, "") if isinstance(values, dict) else ({}, "it is no line of an audit log")


def _write_whole(fd: int, line: bytes) -> None:
    """Append a line, or nothing of it; raises OSError. A disk that is full takes a part, and says nothing."""
    size = os.fstat(fd).st_size
    if os.write(fd, line) < len(line):
        os.ftruncate(fd, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _last_line(fd: int) -> tuple[str, bool]:
    """Return the hash of the last line of a file, empty if it has none, and whether that line was cut."""
    size = os.fstat(fd).st_size
    tail = os.pread(fd, LINE_BYTES_MAX, max(0, size - LINE_BYTES_MAX))
    is_cut = not tail.endswith(b"\n") and bool(tail)
    line = tail.removesuffix(b"\n").rpartition(b"\n")[2]
    return (_hash(line) if tail else ""), is_cut


def _is_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}") if number else path
