"""How long a node looks for its master, and what it says of that. A pure module: the time is handed in."""

from __future__ import annotations

from typing import Final, NamedTuple

from concurrent.core.errors import (
    ConcurrentError,
    MalformedMessage,
    NodeError,
    UnknownHost,
    UnknownMethod,
    WrongServer,
)

__all__ = ["Search", "Step"]

SAID_S: Final = 5.0
"""How soon another problem than the last one is said."""

SAID_AGAIN_S: Final = 30.0
SAID_AGAIN_MAX_S: Final = 600.0
"""How often a node says that it still waits; later each time."""

WRONG_S: Final = 5.0
"""How long something else than a master may answer; one that starts never does."""

UNKNOWN_S: Final = 15.0
"""How long a name may be unknown; that of a machine or container that starts is known soon."""

WRONG: Final = (WrongServer, MalformedMessage, UnknownMethod)


class Step(NamedTuple):
    """What follows from a failure.

    :param line: what to say, if anything.
    :param end: the error with which to give up, if that is due.
    """

    line: str | None
    end: ConcurrentError | None


class Search:
    """See the module. A node that has ever joined looks for its master for ever.

    ``problem`` is what the node waits for; nothing when it has joined.

    :param address: where the master shall be.
    """

    def __init__(self, address: str) -> None:
        self.problem = ""
        self._address = address
        self._has_joined = False
        self._since = 0.0
        self._hopeless_since: float | None = None
        self._said_at = 0.0
        self._say_again_s = SAID_AGAIN_S

    def joined(self) -> None:
        """The node has found its master."""
        self._has_joined = True
        self._hopeless_since = None
        self.problem = ""

    def moved(self, address: str) -> None:
        """The node looks for its master at another address now."""
        self._address = address
        self._hopeless_since = None

    def failed(self, problem: str, error: BaseException | None, now: float) -> Step:
        """Take note that the node could not register or join.

        :param problem: what went wrong, for people.
        :param error: the error that says it, if there is one.
        :param now: the present time in seconds, of any monotonic clock.
        """
        if not self.problem:
            self._since = now
        end = self._patience_s(error, now)
        line = None
        if problem != self.problem and (not self.problem or now - self._said_at >= SAID_S):
            line = f"{problem}; trying again"
            self._say_again_s = SAID_AGAIN_S
        elif now - self._said_at >= self._say_again_s:
            line = f"still waiting for the master at {self._address}, for {now - self._since:.0f} s: {problem}"
            self._say_again_s = min(2 * self._say_again_s, SAID_AGAIN_MAX_S)
        if line is not None:
            self._said_at = now
        self.problem = problem
        if end is None:
            return Step(line, None)
        return Step(None, NodeError(f"no master was found within {end:.0f} s. {problem}", thing=self._address))

    def _patience_s(self, error: BaseException | None, now: float) -> float | None:
        """Return for how long something hopeless went on, if that is too long."""
        bound_s = WRONG_S if isinstance(error, WRONG) else UNKNOWN_S if isinstance(error, UnknownHost) else None
        if bound_s is None or self._has_joined:
            self._hopeless_since = None
            return None
        if self._hopeless_since is None:
            self._hopeless_since = now
        lasted_s = now - self._hopeless_since
        return lasted_s if lasted_s >= bound_s else None
