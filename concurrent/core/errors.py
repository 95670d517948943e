"""Every error that the framework raises on purpose, in one tree.

Each class has a stable ``code`` (used on the wire, in the JSON API and in logs), and each instance
names the *thing* that is wrong, the *value* that was met and the *remedy*. ``str(error)`` is one
line made of these three. Classes are pure data; they may be raised in any thread or process.
"""

from __future__ import annotations

from pickle import PicklingError
from typing import Any, ClassVar

__all__ = [
    "AddressError",
    "CallTimeout",
    "ComponentError",
    "ConcurrentError",
    "ConfigurationError",
    "ConnectionLost",
    "EnvironmentFolderError",
    "InterfaceError",
    "InvalidArguments",
    "JobMismatch",
    "JobTaken",
    "JobUnknown",
    "LimitExceeded",
    "LoopClosed",
    "MalformedMessage",
    "MessageTooLarge",
    "NodeError",
    "NotAllowed",
    "PayloadDamaged",
    "PayloadTooLarge",
    "PluginError",
    "ProtocolError",
    "QueueFull",
    "RemoteError",
    "SchedulingError",
    "TaskCancelled",
    "TaskError",
    "TaskFailed",
    "TaskOutOfMemory",
    "TaskTimeout",
    "TransportError",
    "UnknownHost",
    "UnknownMethod",
    "UnpicklableResult",
    "UnpicklableValue",
    "VersionMismatch",
    "WorkerDied",
    "WrongServer",
]


class ConcurrentError(Exception):
    """The root of all errors of the framework.

    :param message: what is wrong, as one sentence without a full stop.
    :param thing: the name of what is wrong (an option, a method, a file, a task), if it has one.
    :param value: the value that was met.
    :param remedy: what the reader can do about it, as one sentence.
    """

    code: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        thing: str | None = None,
        value: Any = None,
        remedy: str | None = None,
    ) -> None:
        self.message = message
        self.thing = thing
        self.value = value
        self.remedy = remedy
        super().__init__(message)

    def __str__(self) -> str:
        """One line without a full stop at its end, so that it fits into another one."""
        message = self.message.removesuffix(".")
        return f"{message}. {self.remedy.removesuffix('.')}" if self.remedy else message

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.__dict__.copy()))


def _rebuild(cls: type[ConcurrentError], message: str, state: dict[str, Any]) -> ConcurrentError:
    error = cls.__new__(cls)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class ComponentError(ConcurrentError):
    """A component cannot be made, found or enabled."""

    code = "component"


class InterfaceError(ComponentError):
    """A component does not keep the contract of an interface that it says it implements."""

    code = "interface"


class PluginError(ComponentError):
    """A plug-in cannot be found or imported."""

    code = "plugin"


class ConfigurationError(ConcurrentError):
    """A configuration file or option is wrong."""

    code = "configuration"


class AddressError(ConfigurationError):
    """An address cannot be listened on: it is in use, not of this machine, or not allowed for this user."""

    code = "address"


class EnvironmentFolderError(ConcurrentError):
    """An environment folder is missing, incomplete or in use."""

    code = "environment"


class TransportError(ConcurrentError):
    """The root of errors met while talking to a peer."""

    code = "transport"


class ProtocolError(TransportError):
    """The peer broke the protocol."""

    code = "protocol"


class MalformedMessage(ProtocolError):
    """Bytes arrived that are not a message."""

    code = "malformed"


class MessageTooLarge(ProtocolError):
    """A message exceeds the size limit of the receiver."""

    code = "too-large"


class LimitExceeded(ProtocolError):
    """The peer goes on though it has used up what it may have; its session ends with that."""

    code = "limit"


class VersionMismatch(ProtocolError):
    """The peer speaks another version of the protocol, or runs another Python."""

    code = "version"


class NotAllowed(ProtocolError):
    """Who asks has no key of the cluster, or none with a role that may do this."""

    code = "not-allowed"


class ConnectionLost(TransportError):
    """The peer went away before it answered."""

    code = "connection-lost"


class UnknownHost(ConnectionLost):
    """There is no host of that name, or none that can be found now."""

    code = "unknown-host"


class WrongServer(ConnectionLost):
    """Something else than the JSON API of a node listens at an address."""

    code = "wrong-server"


class CallTimeout(TransportError, TimeoutError):
    """No answer came within the time allowed."""

    code = "timeout"


class QueueFull(TransportError):
    """A bounded queue had no room within the time allowed."""

    code = "queue-full"


class LoopClosed(TransportError):
    """The loop that should run a call has ended."""

    code = "loop-closed"


class UnknownMethod(TransportError):
    """The peer has no method of that name."""

    code = "unknown-method"


class InvalidArguments(TransportError):
    """A method was called with arguments that do not fit its signature."""

    code = "invalid-arguments"


class RemoteError(TransportError):
    """A remote method raised an exception.

    :param type_name: the remote exception's class name.
    :param traceback: the remote traceback as text; empty if the peer sent none.
    """

    code = "remote"

    def __init__(
        self,
        message: str,
        *,
        type_name: str = "Exception",
        traceback: str = "",
        data: Any = None,
    ) -> None:
        super().__init__(message, thing=type_name)
        self.type_name = type_name
        self.traceback = traceback
        self.data = data


class NodeError(ConcurrentError):
    """A node cannot do what was asked of it in its present state."""

    code = "node"


class JobMismatch(NodeError):
    """A program does not submit to its job what it did before, uses a key twice, or is of another kind."""

    code = "job-mismatch"


class JobTaken(NodeError):
    """Another program is attached to the job, and this one no more: two never share a job."""

    code = "job-taken"


class JobUnknown(NodeError):
    """There is no job of that id or name at this master, or no more, or it belongs to somebody else."""

    code = "job-unknown"


class JournalError(ConcurrentError):
    """A journal cannot be opened, or cannot keep anything any more."""

    code = "journal"


class JournalDamaged(JournalError):
    """The bookkeeping of a journal is not what was written."""

    code = "journal-damaged"


class PayloadDamaged(JournalError, OSError):
    """A payload that a journal has is not what was written; all else is as good as before."""

    code = "payload-damaged"


class SchedulingError(ConcurrentError):
    """The scheduler was asked for something that cannot be."""

    code = "scheduling"


class UnpicklableValue(SchedulingError, PicklingError):
    """Something that was pushed, or returned, cannot be pickled; says which argument, and where in it."""

    code = "unpicklable-value"


class PayloadTooLarge(SchedulingError):
    """A task or result is larger than the cluster accepts."""

    code = "payload-too-large"


class TaskError(ConcurrentError):
    """The root of errors that a task's owner is told of.

    :param traceback: the remote traceback as text; empty if there is none.
    :param evidence: one line per attempt (slave, worker, how it ended, tail of its output).
    """

    code = "task"

    def __init__(
        self,
        message: str,
        *,
        thing: str | None = None,
        value: Any = None,
        remedy: str | None = None,
        traceback: str = "",
        evidence: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, thing=thing, value=value, remedy=remedy)
        self.traceback = traceback
        self.evidence = evidence


class TaskFailed(TaskError):
    """The task's code raised; the original exception could not be rebuilt here."""

    code = "task-failed"


class WorkerDied(TaskError):
    """The task's worker process died at each attempt."""

    code = "worker-died"


class TaskCancelled(TaskError):
    """The task was cancelled before it finished."""

    code = "cancelled"


class TaskTimeout(TaskError):
    """A limit of time of the task had passed, so it was ended, or never begun."""

    code = "task-timeout"


class TaskOutOfMemory(TaskError):
    """The task took more memory than it may, so it was ended."""

    code = "out-of-memory"


class UnpicklableResult(TaskError, PicklingError):
    """The task finished, but its result cannot be pickled."""

    code = "unpicklable-result"
