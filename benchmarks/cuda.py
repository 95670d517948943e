"""Computes a little on CUDA devices, through the library of the driver alone."""

from __future__ import annotations

import ctypes
import uuid
from typing import Any

__all__ = ["NoCuda", "fill", "visible"]

LIBRARY = "libcuda.so.1"
WORDS = 1 << 20
"""How much memory is filled, in words of four bytes."""


class NoCuda(Exception):
    """There is no driver, or it refuses."""


class _Driver:
    """The driver of this process; what a call of it refuses raises."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise NoCuda(str(error)) from None
        self.call("cuInit", 0)

    def call(self, name: str, *args: Any) -> None:
        """Call a function of the library."""
        code = getattr(self._library, name)(*args)
        if code:
            raise NoCuda(f"{name} returned {code}")

    def devices(self) -> list[ctypes.c_int]:
        """Return the devices that this process sees."""
        count = ctypes.c_int()
        self.call("cuDeviceGetCount", ctypes.byref(count))
        devices = [ctypes.c_int() for _ in range(count.value)]
        for place, device in enumerate(devices):
            self.call("cuDeviceGet", ctypes.byref(device), place)
        return devices

    def unique_name(self, device: ctypes.c_int) -> str:
        """Return what no other device is called."""
        name = ctypes.create_string_buffer(16)
        self.call("cuDeviceGetUuid_v2", name, device)
        return str(uuid.UUID(bytes=name.raw))


def visible() -> list[str]:
    """Return the unique names of the devices that this process sees, none without a driver."""
    try:
        driver = _Driver()
        return [driver.unique_name(device) for device in driver.devices()]
    except NoCuda:
        return []


def fill(value: int) -> bool:
    """Fill memory of the first device with a value, and tell whether it is there then.

    :raises NoCuda: if there is no device, or it refuses.
    """
    driver = _Driver()
    context, place = ctypes.c_void_p(), ctypes.c_uint64()
    device = driver.devices()[0]
    driver.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
    driver.call("cuCtxSetCurrent", context)
    driver.call("cuMemAlloc_v2", ctypes.byref(place), ctypes.c_size_t(4 * WORDS))
    found = (ctypes.c_uint32 * WORDS)()
    driver.call("cuMemsetD32_v2", place, ctypes.c_uint32(value), ctypes.c_size_t(WORDS))
    driver.call("cuMemcpyDtoH_v2", found, place, ctypes.c_size_t(4 * WORDS))
    driver.call("cuMemFree_v2", place)
    driver.call("cuDevicePrimaryCtxRelease_v2", device)
    return set(found) == {value}
