"""Calling a remote method as if it were local: ``proxy.method(1, key=2)`` returns a future."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Protocol

__all__ = ["RemoteProxy"]


class Caller(Protocol):
    """Anything that calls a method of one peer: a handler or a JSON client."""

    def call(self, method: str, /, *args: Any, timeout_s: float, **kwargs: Any) -> Future[Any]:
        """Call ``method`` and return the future of its result."""


class RemoteProxy:
    """Turns attribute access into calls; the same on every carrier, in any thread.

    :param caller: what sends the calls.
    :param timeout_s: how long each call may take before its future fails with ``CallTimeout``.
    """

    def __init__(self, caller: Caller, timeout_s: float = 30.0) -> None:
        self._caller = caller
        self._timeout_s = timeout_s

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*args: Any, **kwargs: Any) -> Future[Any]:
            return self._caller.call(name, *args, timeout_s=self._timeout_s, **kwargs)

        call.__name__ = name
        return call
