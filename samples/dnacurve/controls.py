"""Controls: the same letters in another order. Whether a sequence is special is seen from them."""

from __future__ import annotations

import random
from array import array

from .analysis import measured
from .bent import most_bent
from .curve import Windows

__all__ = ["control_bends", "shuffled"]


def shuffled(sequence: str, number: int) -> str:
    """Return the same letters in another order: the same one for the same number, wherever it is made."""
    return "".join(random.Random(f"control {number}").sample(sequence, len(sequence)))


def control_bends(sequence: str, numbers: range, model_name: str, size: int) -> array[float]:
    """Return the angle of the most bent stretch of each of several controls.

    :param size: how many bases the stretch has.
    """
    return array(
        "d",
        [
            most_bent(measured(shuffled(sequence, number), model_name, Windows()).bends, size).degrees
            for number in numbers
        ],
    )
