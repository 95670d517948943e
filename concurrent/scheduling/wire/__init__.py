"""What nodes say to each other about tasks: messages, their columns, and failures as they travel.

It runs in the loop threads of masters, slaves and owners, and owns nothing. It imports ``tasks`` and
``transport``, so that no end of a message knows the other end's code.
"""

from __future__ import annotations

__all__: list[str] = []
