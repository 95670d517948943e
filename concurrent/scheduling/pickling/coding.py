"""The data of tasks and results in bytes of a plug-in's making, inside of what the framework pickles.

Code goes on to travel as always: functions, classes and whatever can be called, also among the arguments. The
rest is handed to a codec, whose two functions travel like any other, so workers need nothing but the payload.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from concurrent.core.component import Component
from concurrent.core.errors import ConcurrentError, SchedulingError, UnpicklableValue
from concurrent.core.extensionitems import ExtensionPointItem
from concurrent.core.foreign import calling_foreign_code, place_raised, shown
from concurrent.core.interface import implements
from concurrent.scheduling.interfaces import IPickler
from concurrent.scheduling.pickling.batch import TaskBatch, call
from concurrent.scheduling.pickling.code import AppCode
from concurrent.scheduling.pickling.shorthand import Shorthand, is_plain
from concurrent.scheduling.wire.failure import unpicklable
from concurrent.transport.frames.frames import Frame

__all__ = ["Codec", "CodedShorthand", "FrameworkPickler", "PicklingSettings", "shorthand_for", "uncoded"]

PICKLERS: Final = {"pickle": "FrameworkPickler"}
"""What the short names stand for."""


class Codec(NamedTuple):
    """Two functions that are each other's inverse, for the application and for its workers.

    :param dumps: returns the bytes of a value.
    :param loads: returns the value of such bytes.
    """

    dumps: Callable[[Any], bytes]
    loads: Callable[[bytes], Any]


class FrameworkPickler(Component):
    """Pickle and cloudpickle, with no other bytes inside."""

    implements(IPickler)

    def codec(self) -> Codec | None:
        """Return that there is none."""
        return None


class PicklingSettings(Component):
    """What chooses the pickler of an application or executor."""

    pickler = ExtensionPointItem(
        "application",
        "pickler",
        IPickler,
        "pickle",
        "What turns the data of tasks and results into bytes: pickle, or a plug-in's class.",
        short_names=PICKLERS,
    )

    def codec(self) -> Codec | None:
        """Return what makes bytes of data, None for pickle alone.

        :raises ConfigurationError: if there is no such component.
        :raises SchedulingError: if it fails.
        """
        pickler = self.pickler
        with calling_foreign_code(partial(_failure, type(pickler)), passing=(ConcurrentError,)):
            return pickler.codec()


class CodedShorthand(Shorthand):
    """Pickles what one application pushes, with its data as a codec has it. One thread.

    :param code: the application's code.
    :param codec: how its data become bytes.
    :param on_class: as for the base.
    """

    def __init__(
        self, code: AppCode, codec: Codec, on_class: Callable[[type[Any]], object] | None = None
    ) -> None:
        super().__init__(code, on_class)
        self._codec = codec
        self._is_plain_by_type: dict[type, bool] = {}

    def dumps(self, what: Any) -> bytes | Frame:
        """See the base.

        :raises UnpicklableValue: if the codec fails.
        """
        return super().dumps(self._coded(what))

    def _coded(self, what: Any) -> Any:
        if type(what) is tuple:
            function, args, kwargs = what
            return _run_call, (self._codec, function, *self._parted({**dict(enumerate(args)), **kwargs})), {}
        if type(what) is TaskBatch:
            return TaskBatch([self._coded(member) for member in what.members])
        kind = type(what)
        if kind not in self._is_plain_by_type:
            self._meet(kind)
            self._is_plain_by_type[kind] = is_plain(what)
        if not self._is_plain_by_type[kind]:  # it says itself how it is pickled
            return _run_whole, (self._codec, what), {}
        return _run_task, (self._codec, kind, *self._parted(vars(what))), {}

    def _parted(self, value_by_name: Mapping[Any, Any]) -> tuple[dict[Any, Any], bytes]:
        """Return what can be called, and the bytes of the rest."""
        code = {name: value for name, value in value_by_name.items() if callable(value)}
        data = [(name, value) for name, value in value_by_name.items() if name not in code]
        try:
            return code, self._codec.dumps(data)
        except Exception as error:  # boundary: a plug-in's code runs here
            raise UnpicklableValue(
                f"the pickler of the application cannot take what was pushed: {shown(error)}",
                thing="application.pickler",
                remedy="Push what it can take, or choose another one",
            ) from error


def shorthand_for(
    code: AppCode, codec: Codec | None, on_class: Callable[[type[Any]], object] | None = None
) -> Shorthand:
    """Return what pickles the pushes of one application, or task system; see the classes for the parameters.

    :param codec: None: pickle makes bytes of the data.
    """
    return Shorthand(code, on_class) if codec is None else CodedShorthand(code, codec, on_class)


def uncoded(what: Any) -> Any:
    """Return what was pushed, without what a codec made of it; the application's end."""
    if type(what) is TaskBatch:
        return TaskBatch([uncoded(member) for member in what.members])
    if type(what) is not tuple:
        return what
    function, args, _ = what
    if function is _run_task:
        codec, kind, code, data = args
        return _rebuilt(kind, code, codec.loads(data))
    return args[1] if function is _run_whole else what


class _Coded:
    """A result on its way home: it arrives as what it was made of.

    :param rebuild: called with the codec's ``loads``, the bytes of a value, and ``more``.
    """

    def __init__(self, codec: Codec, value: Any, rebuild: Callable[..., Any], *more: Any) -> None:
        self._made_by = rebuild, (codec.loads, _dumped(codec, value), *more)

    def __reduce__(self) -> tuple[Any, ...]:
        return self._made_by


def _run_call(codec: Codec, function: Callable[..., Any], code: dict[Any, Any], data: bytes) -> _Coded:
    """Make a call. On a worker."""
    value_by_name = {**code, **dict(codec.loads(data))}
    kwargs = {name: value for name, value in value_by_name.items() if type(name) is str}
    args = [value_by_name[index] for index in range(len(value_by_name) - len(kwargs))]
    return _Coded(codec, call((function, args, kwargs)), _loaded)


def _run_whole(codec: Codec, task: Any) -> Any:
    """Run a task that has travelled as it says itself; only its result is coded. On a worker."""
    result = call(task)
    return result if task.returns_task else _Coded(codec, result, _loaded)


def _run_task(codec: Codec, kind: type[Any], code: dict[str, Any], data: bytes) -> _Coded:
    """Run a task. On a worker."""
    task = _rebuilt(kind, code, codec.loads(data))
    result = call(task)
    if not task.returns_task:
        return _Coded(codec, result, _loaded)
    result, task = result
    kept = {name: value for name, value in vars(task).items() if callable(value)}
    rest = [(name, value) for name, value in vars(task).items() if name not in kept]
    return _Coded(codec, [result, rest], _loaded_with_task, kind, kept)


def _loaded(loads: Callable[[bytes], Any], data: bytes) -> Any:
    return loads(data)


def _loaded_with_task(
    loads: Callable[[bytes], Any], data: bytes, kind: type[Any], code: dict[str, Any]
) -> tuple[Any, Any]:
    result, attributes = loads(data)
    return result, _rebuilt(kind, code, attributes)


def _rebuilt(kind: Any, code: dict[str, Any], attributes: Sequence[Any]) -> Any:
    task = kind.__new__(kind)
    vars(task).update({**code, **dict(attributes)})
    return task


def _failure(kind: type, error: BaseException) -> SchedulingError:
    return SchedulingError(
        f"{kind.__name__}.codec raised {shown(error)} ({place_raised(error)})",
        thing="application.pickler",
        remedy="Correct the plug-in; --debug shows the traceback",
    )


def _dumped(codec: Codec, value: Any) -> bytes:
    try:
        return codec.dumps(value)
    except Exception as error:  # boundary: a plug-in's code runs here
        raise unpicklable(value, error) from error
