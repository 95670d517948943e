"""The payloads of a master: in memory up to a budget, the rest in files. Loop thread only.

A file is a segment that many payloads share. It has no name in the file system, so nothing is left of it
however the master ends; its space is free again when the last of its payloads is forgotten.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Any, Final

from concurrent.core.loggers import get_log
from concurrent.transport.frames.frames import Frame, as_payload

__all__ = ["PayloadStore", "StoredPayload"]

SEGMENT_BYTES: Final = 64 << 20
STORED_BYTES_MIN: Final = 1024
"""Smaller payloads stay in memory: what stands for them there would not be much smaller."""

PROBE_BYTES: Final = 4 << 20
"""So much has to fit before it is believed that there is room on the disk again."""

log = get_log(__name__)


class _Segment:
    """One file and how many bytes of it are still wanted."""

    def __init__(self, store: PayloadStore, folder: Path | None) -> None:
        self.size_bytes = 0
        self._wanted_bytes = 0
        self._store = store
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115

    def append(self, data: bytes | memoryview) -> StoredPayload:
        """Write a payload; raises OSError."""
        self._file.seek(self.size_bytes)
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        stored = StoredPayload(self, self.size_bytes, len(data))
        self.size_bytes += len(data)
        self._wanted_bytes += len(data)
        return stored

    def read(self, offset: int, size_bytes: int) -> bytes:
        """Read a payload; raises OSError."""
        self._file.seek(offset)
        data = self._file.read(size_bytes)
        if len(data) != size_bytes:
            raise OSError(f"{size_bytes} bytes at {offset} of a segment are gone")
        return data

    def forget(self, size_bytes: int) -> None:
        """One payload is not wanted any more."""
        self._wanted_bytes -= size_bytes
        self._store.stored_bytes -= size_bytes
        if not self._wanted_bytes:
            self._store.emptied(self)

    def close(self) -> None:
        """Give the space back."""
        self._file.close()


class StoredPayload:
    """Stands for a payload that is in a file; when it is forgotten, so is its place there."""

    __slots__ = ("_nbytes", "_offset", "_segment")

    def __init__(self, segment: _Segment, offset: int, nbytes: int) -> None:
        self._segment = segment
        self._offset = offset
        self._nbytes = nbytes

    def __len__(self) -> int:
        return self._nbytes

    def __del__(self) -> None:
        self._segment.forget(self._nbytes)

    def load(self) -> bytes | Frame:
        """Return the payload; raises OSError."""
        return as_payload(self._segment.read(self._offset, self._nbytes))


Payload = bytes | Frame | StoredPayload


class PayloadStore:
    """See the module.

    :param folder: where the files are; None for the system's folder for temporary files.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.stored_bytes = 0
        self.problem = ""
        self._folder = folder
        self._segments: set[_Segment] = set()
        self._current: _Segment | None = None

    @property
    def has_failed(self) -> bool:
        """Whether the last payload could not be written; ``problem`` says why."""
        return bool(self.problem)

    @property
    def place(self) -> str:
        """The folder of the files."""
        return str(self._folder or tempfile.gettempdir())

    def probe(self) -> None:
        """Find out whether files can be written again, after that has failed."""
        try:
            with tempfile.TemporaryFile(dir=self._folder, buffering=0) as file:
                rest = memoryview(bytes(PROBE_BYTES))
                while rest:
                    rest = rest[file.write(rest) :]
        except OSError as error:
            self.problem = str(error)
        else:
            self.problem = ""

    def put(self, payload: bytes | Frame) -> Payload:
        """Move a payload to a file and return what stands for it.

        It is the payload itself if that is small, or the disk is full.
        """
        if len(payload) < STORED_BYTES_MIN:
            return payload
        try:
            segment = self._current
            if segment is None or segment.size_bytes >= SEGMENT_BYTES:
                segment = self._current = _Segment(self, self._folder)
                self._segments.add(segment)
            stored = segment.append(payload.buffer if isinstance(payload, Frame) else payload)
        except OSError as error:
            if not self.problem:
                log.error("payloads cannot be moved to %s and stay in memory: %s", self.place, error)
            self.problem = str(error)
            return payload
        self.problem = ""
        self.stored_bytes += len(payload)
        return stored

    def load(self, payload: Payload) -> bytes | Frame:
        """Return a payload, wherever it is.

        :raises OSError: if its file cannot be read.
        """
        return payload.load() if isinstance(payload, StoredPayload) else payload

    def loaded(self, payloads: list[Any]) -> list[Any]:
        """Return payloads, wherever they are.

        :raises OSError: if a file cannot be read.
        """
        return list(map(self.load, payloads)) if self.stored_bytes else payloads

    def emptied(self, segment: _Segment) -> None:
        """Free a file that nothing is wanted of; the one that is written goes on with the next payload."""
        if segment is not self._current:
            self._segments.discard(segment)
            segment.close()
        else:
            segment.size_bytes = 0

    def close(self) -> None:
        """Free all files."""
        for segment in self._segments:
            segment.close()
        self._segments.clear()
        self._current = None
