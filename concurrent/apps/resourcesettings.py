"""What a configuration says of resources: how much there is for all together, and whose share is larger."""

from __future__ import annotations

from typing import Final

from concurrent.core.component import Component
from concurrent.core.errors import ConfigurationError
from concurrent.core.items import ChoiceItem, IntItem, SectionItem
from concurrent.scheduling.tasks.claim import CPU, GPU, MEMORY, UNIT, is_resource
from concurrent.scheduling.tasks.runterms import MOST_WEIGHT

__all__ = ["ResourceSettings", "WeightSettings"]

OF_SLAVES: Final = (CPU, GPU, MEMORY)
"""What slaves find by themselves, so that it cannot be a token."""


class ResourceSettings(Component):
    """The options of a master on tasks that ask for resources."""

    infeasible = ChoiceItem(
        "scheduling", "infeasible", "wait",
        "What becomes of tasks that ask for resources which no slave could ever meet, as far as slaves have "
        "joined: they wait for one that can, or fail after 30 seconds.",
        choices=("wait", "fail"),
    )  # fmt: skip
    lacking = ChoiceItem(
        "scheduling", "lacking", "warn",
        "What becomes of tasks at a slave that lacks an installed module which their program uses: they run "
        "there all the same, and the program is warned, or the slave gets none of them while another one has "
        "all that the program uses.",
        choices=("warn", "avoid"),
    )  # fmt: skip
    limits = SectionItem(
        "limits",
        "How much tasks on all slaves together may have at once of what they ask for by this name. No slave "
        "has to offer it.",
        example=("database", 4),
    )  # fmt: skip

    def tokens(self) -> dict[str, int]:
        """Return how much there is of each token, in units by name.

        :raises ConfigurationError: if one has a name that is not possible.
        """
        for name in self.limits:
            if not is_resource(name) or name in OF_SLAVES:
                raise ConfigurationError(
                    f"[limits] {name} is no name of something that a master counts",
                    thing=f"limits.{name}",
                    value=name,
                    remedy=f"Use a word such as database; {', '.join(OF_SLAVES)} are what slaves have",
                )
        return {name: count * UNIT for name, count in self.limits.items()}


class WeightSettings(Component):
    """The weight of a program."""

    weight = IntItem(
        "application", "weight", 1,
        "How many turns and shares of slaves the application has where another one has one.",
        minimum=1, maximum=MOST_WEIGHT,
    )  # fmt: skip
