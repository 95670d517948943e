"""An option of a kind of its own: any plug-in may define such."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from concurrent.core import ConfigItem

__all__ = ["DigestItem"]


class DigestItem(ConfigItem["bytes | None"]):
    """An MD5 digest as 16 bytes, or None where the text is empty."""

    @property
    def allowed(self) -> str:
        """What a digest looks like."""
        return "32 hexadecimal digits, or nothing"

    def parse(self, text: str, folder: Path) -> bytes | None:
        """Return the bytes of the digest."""
        digits = text.strip()
        if not re.fullmatch(r"(?:[0-9a-fA-F]{32})?", digits):
            raise ValueError(text)
        return bytes.fromhex(digits) or None

    def format(self, value: Any) -> str:
        """Return the digest as hexadecimal digits."""
        return value.hex() if value else ""
