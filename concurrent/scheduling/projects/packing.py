"""The form in which a project travels: files with their names, compressed, known by the hash of their content.

Packed is a length (u32), that many bytes of msgpack with ``[path, size, is executable]`` for each file in
order, and the content of the files. The hash is over that, before it is compressed. Whoever unpacks trusts
nothing in it: no path leads out of the folder that it is unpacked into, and nothing is larger than was said.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import InvalidArguments
from concurrent.scheduling.projects.collecting import FILES_MAX, PATH_CHARS_MAX, STEPS_MAX, ProjectFile
from concurrent.scheduling.wire.projectblobs import SIZE_BYTES_MAX, Manifest, parts_of

with installed_first("msgpack"):
    import msgpack

__all__ = ["PackedProject", "digest_of_folder", "pack", "remove_folder", "unpack"]

LENGTH: Final = struct.Struct("!I")
LIST_BYTES_MAX: Final = 16 << 20
PATH_BYTES_MAX: Final = 4 * PATH_CHARS_MAX
PATH_SHOWN: Final = 100
LEVEL: Final = 1
CHUNK_BYTES: Final = 1 << 20

BYTECODE: Final = "__pycache__"

FOLDER_MODE: Final = 0o555
FILE_MODE: Final = 0o444
"""What is unpacked is the same for all who use it."""


class PackedProject(NamedTuple):
    """A project as it leaves a program.

    :param blobs: its manifest and its parts.
    :param paths: of its files, as seen from ``root``.
    """

    manifest: Manifest
    blobs: Sequence[bytes]
    paths: frozenset[str]

    def path_of(self, file: str) -> str:
        """Return the path of a file in the project; empty if it is none of it."""
        root = os.path.join(self.manifest.root, "")
        path = file[len(root) :] if file.startswith(root) else ""
        return path if path in self.paths else ""


def pack(files: Sequence[ProjectFile], root: str) -> PackedProject:
    """Pack a project.

    :param root: where imports of its modules begin, links followed.
    """
    ordered = sorted(files)
    head = _head_of((file.path, len(file.data), file.is_executable) for file in ordered)
    digest, compressor = hashlib.sha256(head), zlib.compressobj(LEVEL)
    packed = [compressor.compress(head)]
    for file in ordered:
        digest.update(file.data)
        packed.append(compressor.compress(file.data))
    packed.append(compressor.flush())
    parts = list(parts_of(b"".join(packed)))
    size_bytes = len(head) + sum(len(file.data) for file in ordered)
    manifest = Manifest(digest.hexdigest(), size_bytes, len(parts), root)
    return PackedProject(manifest, [manifest.blob(), *parts], frozenset(file.path for file in ordered))


def unpack(manifest: Manifest, parts: Iterable[bytes], folder: str) -> None:
    """Unpack a project into a folder that is made for it, and see that it is what its manifest says.

    :param parts: slices of what :func:`pack` made.
    :raises InvalidArguments: if it is not, or a path would lead out of the folder. The folder is gone then.
    :raises OSError: if something cannot be written. The folder is gone then.
    """
    parts, most_bytes = tuple(parts), min(manifest.size_bytes, SIZE_BYTES_MAX)
    _check(_Reader(parts, most_bytes), manifest.digest)
    os.mkdir(folder, 0o700)
    try:
        reader, writer = _Reader(parts, most_bytes), _Writer(folder)
        for path, size_bytes, is_executable in reader.files():
            writer.write(path, reader.take(size_bytes), is_executable=is_executable)
        for each, _, _ in os.walk(folder, topdown=False):
            os.chmod(each, FOLDER_MODE)
    except BaseException:  # boundary: half of a project is of no use; raised again
        remove_folder(folder)
        raise


def _check(reader: _Reader, digest: str) -> None:
    """See that a project is what its manifest says, before a file of it is made: that takes much longer.

    :raises InvalidArguments: if it is not.
    """
    for path, size_bytes, _ in reader.files():
        _steps_of(path)
        for _ in reader.take(size_bytes):
            pass
    reader.end()
    if reader.hexdigest() != digest:
        raise _broken("it has another hash")


def digest_of_folder(folder: str) -> str:
    """Return the hash of a project that was unpacked; none if something is there that no project has.

    :raises OSError: if something of it cannot be read.
    :raises ValueError: if a name is no UTF-8.
    """
    places: list[tuple[str, str]] = []
    for each, inside, names in os.walk(folder):
        if BYTECODE in inside:  # root's workers write it, and no project has any
            inside.remove(BYTECODE)
        places += (
            (os.path.relpath(os.path.join(each, name), folder), os.path.join(each, name)) for name in names
        )
    statuses = [(path, place, os.lstat(place)) for path, place in sorted(places)]
    if not all(stat.S_ISREG(status.st_mode) for _, _, status in statuses):
        return ""  # to read it might never end
    head = _head_of((path, status.st_size, bool(status.st_mode & 0o100)) for path, _, status in statuses)
    digest = hashlib.sha256(head)
    for _, place, _ in statuses:
        with open(place, "rb") as file:
            while data := file.read(CHUNK_BYTES):
                digest.update(data)
    return digest.hexdigest()


def remove_folder(folder: str) -> None:
    """Remove what was unpacked, as far as that is possible."""
    for each, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            os.chmod(each, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _head_of(rows: Iterable[tuple[str, int, bool]]) -> bytes:
    listed = bytes(msgpack.packb([list(row) for row in rows]))
    return LENGTH.pack(len(listed)) + listed


class _Reader:
    """Takes a packed project apart, and no more than was said.

    :param size_bytes: how much it is when it is unpacked.
    """

    def __init__(self, parts: Iterable[bytes], size_bytes: int) -> None:
        self._parts = iter(parts)
        self._left_bytes = size_bytes
        self._inflate = zlib.decompressobj()
        self._digest = hashlib.sha256()
        self._ready = b""

    def files(self) -> Iterator[tuple[str, int, bool]]:
        """Yield path, size and mode of each file; the content of each has to be taken before the next."""
        (length,) = LENGTH.unpack(b"".join(self.take(LENGTH.size)))
        if length > LIST_BYTES_MAX:
            raise _broken("its list is too long")
        try:
            yield from _rows_of(b"".join(self.take(length)))
        except (ValueError, msgpack.UnpackException):
            raise _broken("its list cannot be read") from None

    def take(self, size_bytes: int) -> Iterator[bytes]:
        """Yield what comes next, so much."""
        while size_bytes > 0:
            data = (self._ready or self._more())[:size_bytes]
            self._ready = self._ready[len(data) :]
            size_bytes -= len(data)
            yield data

    def end(self) -> None:
        """See that nothing is left."""
        is_over = not self._ready and not self._left_bytes
        while is_over and not self._inflate.eof:
            data = self._inflate.unconsumed_tail or next(self._parts, b"")
            if not data:
                raise _broken("it ends too soon")
            is_over = not self._inflate.decompress(data, 1)
        if not is_over or self._inflate.unused_data or next(self._parts, None) is not None:
            raise _broken("there is something behind it")

    def hexdigest(self) -> str:
        """Return the hash of what was taken."""
        return self._digest.hexdigest()

    def _more(self) -> bytes:
        """Have more to take."""
        while not self._ready:
            data = self._inflate.unconsumed_tail or next(self._parts, b"")
            if not data:
                raise _broken("it ends too soon")
            try:
                self._ready = self._inflate.decompress(data, min(CHUNK_BYTES, self._left_bytes + 1))
            except zlib.error:
                raise _broken("it cannot be decompressed") from None
        if len(self._ready) > self._left_bytes:
            raise _broken("it is larger than was said")
        self._left_bytes -= len(self._ready)
        self._digest.update(self._ready)
        return self._ready


def _rows_of(listed: bytes) -> Iterator[tuple[str, int, bool]]:
    """Yield the rows of a list of files, one by one: as a whole it might take hundreds of times as much memory.

    :raises ValueError: if it is none; :raises UnpackException: likewise.
    """
    limits = dict.fromkeys(("max_bin_len", "max_map_len", "max_ext_len"), 0)
    unpacker = msgpack.Unpacker(
        use_list=False, max_buffer_size=LIST_BYTES_MAX, max_str_len=PATH_BYTES_MAX, max_array_len=3, **limits
    )
    unpacker.feed(listed)
    count = unpacker.read_array_header()
    if count > FILES_MAX:
        raise _broken(f"it has more than {FILES_MAX} files")
    for _ in range(count):
        row: Any = unpacker.unpack()
        if type(row) is not tuple or tuple(map(type, row)) != (str, int, bool) or row[1] < 0:
            raise ValueError
        yield row
    if unpacker.tell() != len(listed):
        raise ValueError


class _Writer:
    """Writes the files of a project, none of them out of its folder, and no more folders than files may be."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._made: set[str] = set()

    def write(self, path: str, content: Iterable[bytes], *, is_executable: bool) -> None:
        """Write a file, and make the folders that it is in."""
        steps = _steps_of(path)
        try:
            place = os.path.join(self._folder_of(steps[:-1]), steps[-1])
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(place, flags, 0o600)
        except FileExistsError:
            raise _broken(f"the path {path[:PATH_SHOWN]!r} is that of another file too") from None
        with open(descriptor, "wb") as file:
            for data in content:
                file.write(data)
            os.fchmod(file.fileno(), FILE_MODE | (0o111 if is_executable else 0))

    def _folder_of(self, steps: Sequence[str]) -> str:
        folder = self._folder
        for step in steps:
            folder = f"{folder}/{step}"
            if folder not in self._made:
                if len(self._made) == FILES_MAX:
                    raise _broken(f"it has more than {FILES_MAX} folders")
                os.mkdir(folder, 0o700)
                self._made.add(folder)
        return folder


def _steps_of(path: str) -> list[str]:
    """Return the names in a path.

    :raises InvalidArguments: if it leads out of its folder, or is too long.
    """
    steps = path.split("/")
    if "\0" in path or any(step in ("", ".", "..") for step in steps):
        raise _broken(f"the path {path[:PATH_SHOWN]!r} leads out of its folder")
    if len(path) > PATH_CHARS_MAX or len(steps) > STEPS_MAX:
        raise _broken(f"the path {path[:PATH_SHOWN]!r} is too long")
    return steps


def _broken(why: str) -> InvalidArguments:
    return InvalidArguments(f"a project cannot be unpacked: {why}", thing="project")
