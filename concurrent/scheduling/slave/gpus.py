"""Which GPUs a slave may use: those that its environment names, else those that the driver of NVIDIA knows.

Whoever starts a slave may have given it a part of the GPUs of its machine, as batch systems and containers do:
then a variable names them, and no others are used. Any thread.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from concurrent.core.loggers import get_log

__all__ = ["Gpus", "find_gpus", "named_devices", "numbered", "nvml_devices"]

CUDA: Final = "CUDA_VISIBLE_DEVICES"
ROCM: Final = "ROCR_VISIBLE_DEVICES"
LEVEL_ZERO: Final = "ZE_AFFINITY_MASK"
VARIABLES: Final = (CUDA, ROCM, LEVEL_ZERO)
"""What tells programs of NVIDIA, AMD and Intel which devices they may use."""

_DEVICE: Final = re.compile(r"\d+(\.\d+)*|(GPU|MIG)-[0-9A-Za-z][0-9A-Za-z/_-]*")
"""A number, one with that of a part behind it, or a unique name, which may be cut short."""

log = get_log(__name__)


class Gpus(NamedTuple):
    """The GPUs that may be used.

    :param ids: what each is called in a variable.
    :param variables: the variables that tell a program which of them are its own.
    """

    ids: tuple[str, ...] = ()
    variables: tuple[str, ...] = VARIABLES


def named_devices(text: str) -> tuple[str, ...]:
    """Return the devices that the value of a variable names, as CUDA reads it.

    What is no device ends the list: ``-1`` or ``NoDevFiles`` at its beginning means none. A device that is
    named twice makes the whole list void.
    """
    ids: list[str] = []
    for part in text.split(","):
        name = part.strip()
        if not _DEVICE.fullmatch(name) or (ids and name[0].isdigit() != ids[0][0].isdigit()):
            break
        ids.append(str(int(name)) if name.isdigit() else name)
    return tuple(ids) if len(set(ids)) == len(ids) else ()


def find_gpus(
    environment: Mapping[str, str], drivers: Callable[[], Sequence[str]] | None = None
) -> Gpus | None:
    """Return the GPUs that a process with this environment may use; None if nobody says.

    :param drivers: returns the unique names of the devices that a driver knows; else :func:`nvml_devices` does.
    """
    for variable in VARIABLES:
        if variable in environment:
            return Gpus(named_devices(environment[variable]), (variable,))
    ids = tuple((drivers or nvml_devices)())
    return Gpus(ids, (CUDA,)) if ids else None


def numbered(count: int) -> Gpus:
    """Return so many GPUs of which nothing is known but their numbers."""
    return Gpus(tuple(map(str, range(count))))


def nvml_devices() -> list[str]:
    """Return the unique names of the devices that NVML knows; none without the package ``nvidia-ml-py``.

    Unique names, since numbers mean different devices to NVML and to CUDA. A device that is divided is
    represented by its parts.
    """
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return []
    try:
        nvml.nvmlInit()
        try:
            handles = [nvml.nvmlDeviceGetHandleByIndex(at) for at in range(nvml.nvmlDeviceGetCount())]
            return [_text(nvml.nvmlDeviceGetUUID(one)) for whole in handles for one in _parts(nvml, whole)]
        finally:
            nvml.nvmlShutdown()
    except nvml.NVMLError as error:
        log.debug("no GPU is known, for NVML says: %s", error)
        return []


def _parts(nvml: Any, whole: Any) -> list[Any]:
    """Return the parts of a device that is divided, or the device."""
    try:
        is_divided = nvml.nvmlDeviceGetMigMode(whole)[0] == nvml.NVML_DEVICE_MIG_ENABLE
        count = nvml.nvmlDeviceGetMaxMigDeviceCount(whole) if is_divided else 0
    except nvml.NVMLError:  # a device that cannot be
        return [whole]
    if not is_divided:
        return [whole]
    parts = []
    for place in range(count):
        try:
            parts.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(whole, place))
        except nvml.NVMLError:  # a part that was not made
            continue
    return parts


def _text(name: Any) -> str:
    """Return a name as text; older packages return bytes."""
    return name.decode() if isinstance(name, bytes) else str(name)
