"""An option of a kind of its own: any plug-in may define such."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from concurrent.core import ConfigItem

__all__ = ["CountsItem"]


class CountsItem(ConfigItem["tuple[int, ...]"]):
    """Whole numbers of at least 1; the value is in rising order, and has each once."""

    @property
    def allowed(self) -> str:
        """What such a list looks like."""
        return "whole numbers of at least 1, separated by commas, or nothing"

    def parse(self, text: str, folder: Path) -> tuple[int, ...]:
        """Return the numbers of a list."""
        counts = {int(part) for part in text.split(",") if part.strip()}
        if any(count < 1 for count in counts):
            raise ValueError(text)
        return tuple(sorted(counts))

    def format(self, value: Any) -> str:
        """Return the numbers joined by commas."""
        return ", ".join(map(str, value))
