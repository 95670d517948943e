"""The folder of a program that travels: what of it goes along, how it is packed, and where it is unpacked.

The process of the program collects and packs it, a thread of a slave, or the host of a task system, unpacks it
into a cache that the user's slaves share. Nobody else looks into one: to masters and on the way it is blobs of
code. It owns that cache. It imports ``wire``.
"""

from __future__ import annotations

__all__: list[str] = []
