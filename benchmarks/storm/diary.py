"""A file that says what was done when, to be read beside the logs of the nodes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

__all__ = ["Diary"]


class Diary:
    """See the module; its lines begin with the time as those of logs do."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def note(self, text: str) -> None:
        """Add a line."""
        now = datetime.now().isoformat(" ", "milliseconds").replace(".", ",")
        self._file.write(f"{now} STORM   {text}\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
