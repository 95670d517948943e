"""What the samples share to report on a run. No sample itself: it has no ``app``.

``layout`` has the columns and the comparison with one process, ``amdahl`` says what a speed-up means, ``usage``
tells how much data and memory a run took.
"""

__all__: list[str] = []
