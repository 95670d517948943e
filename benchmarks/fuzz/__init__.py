"""Throws damaged and invented input at whatever reads what others have sent: ``python -m benchmarks.fuzz``.

Each decoder is fed in a process of its own, with valid inputs that were damaged, with values of other types
in the places of the right ones, and with noise. It may return, or raise the errors that it says it raises.
Anything else counts as a crash, and so does a process that dies, an input that takes long, and memory that
grows.
"""

from __future__ import annotations

__all__: list[str] = []
