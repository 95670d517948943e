"""The messages between nodes that a peer need not know: each has the name of a feature. A pure module."""

from __future__ import annotations

from typing import Final

__all__ = ["HELD", "NOTICE", "RUNNING", "TERMS"]

HELD: Final = "held"
"""The method by which an owner is told why it has to wait, and the feature that says that it has it."""

NOTICE: Final = "notice"
"""The method by which an owner is told what goes wrong, and the feature that says that it has it."""

RUNNING: Final = "running"
"""The feature of a peer that wants to be told which tasks run."""

TERMS: Final = "terms"
"""The feature of a master that takes more terms than ``attempts_max``."""
