"""How far work is, for whoever waits for it: bars on a terminal, in a notebook, or a line now and then.

====================  ===================================================================================
``bars.py``           counts and what follows from them: share, rate, time left, and a bar as a line (pure)
``board.py``          the counts of one program that are shown together, and the thread that shows them
``views.py``          how they are shown: on a terminal, as lines, in a notebook
``screen.py``         the lowest lines of a terminal: bars stay there, and all else appears above them
``calls.py``          the bars of an executor: the calls that are made within a block
====================  ===================================================================================

Whoever counts only leaves numbers here. They are shown by a thread of their own, so a terminal that takes
nothing holds up no task, no callback and no heartbeat.
"""

from __future__ import annotations

__all__: list[str] = []
