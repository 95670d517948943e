"""How many files a slave has open; a master asks before it starts one of its own."""

from __future__ import annotations

from typing import Final

from concurrent.transport.session.limits import check_files_max

__all__ = ["check_files"]

SLAVE_FILES: Final = 22
WORKER_FILES: Final = 5
"""How many files a slave has open for itself, and for each of its workers, at least."""


def check_files(workers: int) -> None:
    """Check that this process may open as many files as a slave with so many workers needs.

    :raises ConfigurationError: if it may not; its workers could not be started.
    """
    check_files_max(SLAVE_FILES + WORKER_FILES * workers, f"a slave with {workers} workers")
