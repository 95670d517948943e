"""Which modules cloudpickle takes apart: it keeps one list of them for the whole process."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Final

from concurrent.core.dependencies import installed_first

with installed_first("cloudpickle"):
    import cloudpickle

__all__ = ["by_value"]

_registry_lock: Final = threading.RLock()


@contextlib.contextmanager
def by_value(modules: frozenset[str]) -> Iterator[None]:
    """Have cloudpickle take these modules apart instead of naming them."""
    with _registry_lock:
        named = cloudpickle.list_registry_pickle_by_value()
        added = [sys.modules[name] for name in modules - named if name in sys.modules]
        for module in added:
            cloudpickle.register_pickle_by_value(module)
        try:
            yield
        finally:
            for module in added:
                cloudpickle.unregister_pickle_by_value(module)
