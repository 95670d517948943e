"""What a program wants of a job when it attaches its session to one, and what the master answers. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, TypeVar

from concurrent.core.errors import InvalidArguments, NodeError

__all__ = ["JOB_TEXT_LENGTH_MAX", "KEEP_AS_CONFIGURED", "JobAnswer", "JobWish", "answer_from", "wish_from"]

KEEP_AS_CONFIGURED: Final = -1.0
"""Keep the job as long as the master's option ``job.keep_s`` says."""

JOB_TEXT_LENGTH_MAX: Final = 256
"""How long the id or the name of a job may be, in characters."""

T = TypeVar("T", "JobWish", "JobAnswer")


@dataclass(frozen=True, slots=True)
class JobWish:
    """What a program says of the job that its session is for.

    :param job: the id or the name of the job to go on with; empty for the one called ``name``, or a new one.
    :param name: what a new job is called, of the user's choice; empty if it has no name.
    :param kind: what the program is: ``application`` or ``executor``.
    :param user: whose program it is, for people.
    :param must_exist: whether it is an error if there is no such job; else a new one begins.
    :param keep_s: how many seconds the job is kept after it has ended; 0: it ends with its session, below 0: as
        long as the master is configured to.
    :param keeps_results: whether outcomes stay when they were consumed, until the job is forgotten.
    :param attachment: what the answer said the last time; 0: take the job over from whoever has it.
    :param from_start: whether what was consumed before is given again.
    :param wants_tasks: whether a task's payload comes with an outcome that a former program is owed.
    :param program: plain values by which ``concurrent attach`` finds the application again.
    :param fingerprint: what the program runs, as texts, see ``runtime.py``.
    """

    job: str = ""
    name: str = ""
    kind: str = "application"
    user: str = ""
    must_exist: bool = False
    keep_s: float = 0.0
    keeps_results: bool = False
    attachment: int = 0
    from_start: bool = False
    wants_tasks: bool = False
    program: dict[str, Any] = field(default_factory=dict)
    fingerprint: dict[str, Any] = field(default_factory=dict)

    def as_map(self) -> dict[str, Any]:
        """Return the wish as it travels."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """What a master says of the job that a session is attached to.

    :param number: the number of the job at the master, as ``register_application`` answers it.
    :param job: its id.
    :param attachment: counts the sessions that the job has had; the program says it when it comes back.
    :param is_new: whether the job has just begun, so that the master has nothing of it.
    :param has_begun: whether all was pushed that its program begins with.
    :param state: ``open``, ``held`` or ``ended``.
    :param reason: why it is held; else empty.
    :param next_id: the first id of a task that the master has not got.
    :param consumed_to: the number of the last outcome that was consumed.
    :param code_count: how many blobs of code the master has of the job.
    :param systems: the numbers of its task systems whose results nobody has dealt with.
    :param epoch: how often the journal was opened; 0 without one.
    :param durability: ``host``, ``process`` or ``none``.
    :param cluster: the id of the journal; empty without one.
    """

    number: int = 0
    job: str = ""
    name: str = ""
    attachment: int = 0
    is_new: bool = True
    has_begun: bool = False
    state: str = "open"
    reason: str = ""
    next_id: int = 0
    consumed_to: int = 0
    code_count: int = 0
    systems: list[int] = field(default_factory=list)
    epoch: int = 0
    durability: str = "none"
    cluster: str = ""

    @property
    def pushed(self) -> int:
        """How many tasks were pushed; the first has the id 1, and without any there is no next one."""
        return max(self.next_id - 1, 0)

    def as_map(self) -> dict[str, Any]:
        """Return the answer as it travels."""
        return asdict(self)


def wish_from(wire: dict[str, Any]) -> JobWish:
    """Return a wish as it came; what is missing is as by default, what is not known is ignored.

    :raises InvalidArguments: if a value is not of its type, or a text too long.
    """
    wish = _from(JobWish, wire)
    for name in ("job", "name", "kind", "user"):
        text = getattr(wish, name)
        if len(text) > JOB_TEXT_LENGTH_MAX or (text and not text.isprintable()):
            raise InvalidArguments(
                f"{name} of a job must be at most {JOB_TEXT_LENGTH_MAX} characters that can be printed, "
                f"but is {text!r:.100}",
                thing=name,
                remedy="Give the job another name",
            )
    return wish


def answer_from(wire: Any) -> JobAnswer:
    """Return the answer of a master as it came.

    :raises NodeError: if it is not that of a master.
    """
    try:
        return _from(JobAnswer, wire if isinstance(wire, dict) else {"job": wire})
    except InvalidArguments as error:
        raise NodeError(
            f"the answer to attach_job is not that of a master: {error.message}", thing="attach_job", value=wire
        ) from None


def _from(cls: type[T], wire: dict[str, Any]) -> T:
    default = cls()
    values: dict[str, Any] = {}
    for one in fields(cls):
        if one.name not in wire:
            continue
        value, expected = wire[one.name], type(getattr(default, one.name))
        if expected is float and type(value) is int:
            value = float(value)
        if type(value) is not expected or (expected is float and not abs(value) <= 1e15):
            raise InvalidArguments(
                f"{one.name} of a job must be {expected.__name__}, but is {value!r:.100}",
                thing=one.name,
                value=value,
            )
        values[one.name] = value
    return cls(**values)
