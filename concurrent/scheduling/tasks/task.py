"""The unit of work that an application writer defines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from concurrent.scheduling.tasks.retry import Retry

__all__ = ["Task"]


class Task:
    """A task: derive, keep its input in attributes, and compute in :meth:`__call__`.

    The object travels to a worker by pickle. The application keeps the original and gets it back in its
    callbacks, so what ``__call__`` sets on ``self`` stays on the worker, unless ``returns_task`` is true.

    Its attributes are what travels, so the three of the framework are only there where they were given.

    :param name: what logs call the task; by default the name of its class.
    :param system_id: a number of a task system, where that is of use to the task.
    :param client_id: a name of an application, where that is of use to the task.
    """

    name: str = "Task"
    system_id: int | None = None
    client_id: str | None = None

    returns_task: ClassVar[bool] = False
    """Whether the worker sends the task home with its result, as it is after :meth:`clean_up`."""

    attempts_max: int = 3
    """How many workers may die of the task before it is reported as failed."""

    priority: int = 0
    """From -100 to 100: of the waiting tasks of one application or task system the higher go out first."""

    timeout_s: float | None = None
    """How long a run of the task may take, in seconds, before it is ended with ``TaskTimeout``."""

    deadline_s: float | None = None
    """How long the task may be open after it was pushed, in seconds; then it ends with ``TaskTimeout``."""

    retry: Retry | int | None = None
    """When the task is tried again if it raises."""

    resources: Mapping[str, Any] | None = None
    """What the task takes while it runs, such as ``{"gpu": 1, "memory": "4GiB"}``."""

    def __init__(self, name: str = "", system_id: int | None = None, client_id: str | None = None) -> None:
        if name:
            self.name = name
        if system_id is not None:
            self.system_id = system_id
        if client_id is not None:
            self.client_id = client_id

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Name the tasks of a class after it."""
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = cls.__name__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def __call__(self) -> Any:
        """Compute and return the result. Runs in a worker process, possibly more than once."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self)")

    def clean_up(self) -> None:
        """Drop what must not travel home. Runs in the worker process after each call."""

    def finished(self, result: Any, error: BaseException | None) -> None:
        """Take the result where it is consumed: in the application, or beside the task system.

        :param result: what :meth:`__call__` returned; None if there is an error.
        :param error: what it raised, or why it did not end; None if it is finished.
        """
