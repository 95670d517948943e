"""What works while the storm goes on; each file is a program of its own."""

from __future__ import annotations

__all__: list[str] = []
