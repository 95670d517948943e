"""An option that is an amount of memory, written as people do. Pure."""

from __future__ import annotations

from pathlib import Path

from concurrent.core.errors import SchedulingError
from concurrent.core.items import ConfigItem, RefusedText
from concurrent.scheduling.tasks.claim import MEMORY, amount_of, shown_amount

__all__ = ["MemoryItem"]


class MemoryItem(ConfigItem[int]):
    """An amount of memory in bytes; 0 stands for none."""

    @property
    def allowed(self) -> str:
        """What may be written."""
        return "an amount of memory such as 512MiB or 2GiB, or 0"

    def parse(self, text: str, folder: Path) -> int:
        """Return the number of bytes."""
        if text.strip() == "0":
            return 0
        try:
            return amount_of(MEMORY, int(text) if text.isdecimal() else text)
        except SchedulingError as error:
            raise RefusedText(error.message) from error

    def format(self, value: int) -> str:
        """Return the text for an amount."""
        return shown_amount(MEMORY, value) if value else "0"
