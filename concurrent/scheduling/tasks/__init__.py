"""What an application writer derives and gets back: tasks, task systems, and how an attempt ended.

Every process that knows a task loads this room: the application, the host of a task system and the
workers. It owns nothing. It imports nothing of the framework but ``core``.
"""

from __future__ import annotations

__all__: list[str] = []
