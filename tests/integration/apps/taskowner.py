"""An owner's task client, with a session that only notes what is sent."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from concurrent.scheduling.owner.results import Outcome
from concurrent.scheduling.owner.taskclient import TaskClient
from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.transport.calls.declaration import Message
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role

TIMEOUT_S = 20.0
MASTER = SimpleNamespace(identity=Identity(Role.MASTER, "master"))


class Session:
    """In place of the handler of a session: keeps the casts."""

    def __init__(self, features: tuple[str, ...]) -> None:
        self.casts: list[tuple[Any, ...]] = []
        self.features = features
        self.has_room = True
        self.is_open = True
        self.on_room: Callable[[], None] | None = None

    def cast(self, message: Message, *args: Any) -> None:
        self.casts.append((message.name, *args))

    def peer_has(self, feature: str) -> bool:
        return feature in self.features

    def pushed_ids(self) -> list[int]:
        ids: list[int] = []
        for method, first_id, *rest in self.casts:
            if method == "push_tasks":
                ids += range(first_id, first_id + len(rest[-1]))
        return ids


class Owner:
    """A task client, and what it reported."""

    def __init__(self, loop: NodeLoop, *own_modules: str, **options: Any) -> None:
        self.methods = MethodRegistry()
        self.features: tuple[str, ...] = ("terms", "options")
        self.outcomes: list[Outcome] = []
        self.accepted: list[Any] = []
        self._loop = loop
        self.client = TaskClient(
            loop,
            CodeBook(own_modules),
            on_outcomes=self.outcomes.extend,
            on_accepted=self.accepted.extend,
            **options,
        )
        self.client.register_methods(self)
        self.client.register_job_methods(self)

    def on_loop(self, fn: Callable[..., Any], *args: Any) -> Any:
        return self._loop.call(fn, *args, timeout_s=TIMEOUT_S)

    def settle(self) -> None:
        """Return when the loop has done what was posted, and what that has put off to the end of its turn."""
        self.on_loop(bool)
        self.on_loop(bool)

    def attach(self, next_id: int = 0) -> Session:
        session = Session(self.features)
        self.on_loop(self.client.attach, session, 0, next_id)
        return session

    def master_says(self, method: str, *args: Any) -> None:
        self.on_loop(self.methods.dispatch, method, (MASTER, None), args, {})
        self.settle()

    def push(self, *items: str) -> list[int]:
        ids = [self.client.push(item, (len, (item,), {})) for item in items]
        self.settle()
        return ids

    def items(self) -> list[Any]:
        return [outcome.item for outcome in self.outcomes]
