"""What a slave offers: as its configuration says it, and as it is found."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError
from concurrent.scheduling.slave.gpus import VARIABLES, Gpus, find_gpus, named_devices, nvml_devices
from concurrent.scheduling.slave.offer import ResourcesItem, doubt_of, offer_of

LONG = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
PART = "MIG-GPU-8932f937-d72c-4106-c12f-20bd9faed9f6/1/2"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", ()),
        ("0", ("0",)),
        ("2,0", ("2", "0")),
        (" 1 , 03", ("1", "3")),
        ("-1", ()),
        ("NoDevFiles", ()),
        ("0,-1,2", ("0",)),
        ("0,x,2", ("0",)),
        ("1,,2", ("1",)),
        ("0,1,2,3,0", ()),
        ("0,00", ()),
        (LONG, (LONG,)),
        ("GPU-8932f937,GPU-3a23c669", ("GPU-8932f937", "GPU-3a23c669")),
        (f"{LONG},{LONG}", ()),
        (PART, (PART,)),
        ("MIG-a1b2,MIG-c3d4", ("MIG-a1b2", "MIG-c3d4")),
        (f"0,{LONG}", ("0",)),
        ("0.0,0.1", ("0.0", "0.1")),
        ("all", ()),
        ("0x1", ()),
    ],
)
def test_devices_are_read_as_cuda_reads_them(text: str, ids: tuple[str, ...]) -> None:
    assert named_devices(text) == ids


def no_driver() -> list[str]:
    return []


def test_the_environment_says_which_gpus_may_be_used() -> None:
    assert find_gpus({"CUDA_VISIBLE_DEVICES": "3,1"}, lambda: ["GPU-a"]) == Gpus(
        ("3", "1"), ("CUDA_VISIBLE_DEVICES",)
    )
    assert find_gpus({"ROCR_VISIBLE_DEVICES": "0"}, no_driver) == Gpus(("0",), ("ROCR_VISIBLE_DEVICES",))
    assert find_gpus({"CUDA_VISIBLE_DEVICES": ""}, lambda: ["GPU-a"]) == Gpus((), ("CUDA_VISIBLE_DEVICES",))


def test_else_the_driver_says_it() -> None:
    assert find_gpus({}, lambda: ["GPU-a", "GPU-b"]) == Gpus(("GPU-a", "GPU-b"), ("CUDA_VISIBLE_DEVICES",))
    assert find_gpus({}, no_driver) is None


class FakeNvml:
    """NVML with two devices, the second of which is divided in two, with room for three."""

    NVML_DEVICE_MIG_ENABLE = 1

    class NVMLError(Exception):
        pass

    def __init__(self, is_there: bool = True) -> None:
        self.is_there = is_there
        self.is_open = False

    def nvmlInit(self) -> None:
        if not self.is_there:
            raise self.NVMLError("driver not loaded")
        self.is_open = True

    def nvmlShutdown(self) -> None:
        self.is_open = False

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, at: int) -> Any:
        return SimpleNamespace(name=f"GPU-{at}".encode(), is_divided=at == 1)

    def nvmlDeviceGetUUID(self, handle: Any) -> Any:
        return handle.name

    def nvmlDeviceGetMigMode(self, handle: Any) -> list[int]:
        if not handle.is_divided:
            raise self.NVMLError("not supported")
        return [1, 1]

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: Any) -> int:
        return 3

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: Any, place: int) -> Any:
        if place == 2:
            raise self.NVMLError("not found")
        return SimpleNamespace(name=f"MIG-{place}")


def test_devices_of_the_driver_have_unique_names_and_divided_ones_their_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nvml = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert nvml_devices() == ["GPU-0", "MIG-0", "MIG-1"]
    assert not nvml.is_open


def test_no_driver_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(is_there=False))
    assert nvml_devices() == []
    monkeypatch.setitem(sys.modules, "pynvml", None)  # as if it were not installed
    assert nvml_devices() == []


def read(text: str) -> dict[str, int]:
    return dict(ResourcesItem("slave", "resources", {}).parse(text, Path()))


def test_amounts_are_read_as_they_are_written() -> None:
    assert read("gpu=2, licence=1") == {"gpu": 2000, "licence": 1000}
    assert read("memory = 16GiB") == {"memory": 16 << 30}
    assert read("memory=17179869184") == {"memory": 16 << 30}
    assert read("gpu=0") == {"gpu": 0}
    assert read("") == {}


@pytest.mark.parametrize(
    "text",
    [
        "gpu", "gpu=", "gpu=-1", "gpu=0.5", "gpu=x", "=2", "GPU=1", "two words=1", "cpu=4", "gpu=1, gpu=2",
        "memory=a lot", "gpu=257", ", ".join(f"a{number}=1" for number in range(17)),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("gpu=1, memory=3", r"memory must be 1MiB or more, but is 3\. Use .*memory as 16GiB"),
        ("memory=16G", "memory must be a number of bytes, or a text such as"),
        ("memory=2PiB", "memory must be 1PiB or less"),
        ("cpu=4", "cpu is how many places there are.*slave.workers"),
        ("gpu=1, gpu=2", "gpu is there twice"),
        ("gpu=-1", "gpu=-1 is no whole number"),
        ("gpu=0.5", "gpu=0.5 is no whole number"),
        ("gpu=257", "no more than 256 devices"),
        ("gpu", "'gpu' is no name and amount"),
        ("GPU=1", "'GPU=1' is no name and amount"),
    ],
)
def test_what_is_refused_is_named_with_the_reason(text: str, why: str) -> None:
    config = Environment(overrides={"slave.resources": text}, variables={}).config
    with pytest.raises(ConfigurationError, match=why) as caught:
        config.get("slave", "resources")
    assert caught.value.thing == "slave.resources"


@pytest.mark.parametrize("option", ["worker_memory_max", "memory_reserve"])
def test_other_options_that_are_memory_are_refused_alike(option: str) -> None:
    config = Environment(overrides={f"slave.{option}": "2"}, variables={}).config
    with pytest.raises(ConfigurationError, match="memory must be 1MiB or more, but is 2"):
        config.get("slave", option)


def test_amounts_are_written_as_they_are_read() -> None:
    item = ResourcesItem("slave", "resources", {})
    assert item.format(read("memory=4MiB, gpu=2")) == "memory=4194304, gpu=2"


def test_what_is_found_is_offered() -> None:
    offer = offer_of({}, Gpus(("3", "1"), VARIABLES[:1]), 1 << 30)
    assert offer.as_map() == {"gpu": 2, "memory": 1 << 30}
    assert str(offer) == "gpu=2, memory=1GiB"
    assert offer_of({}, None, 0).as_map() == {}


def test_what_is_said_counts() -> None:
    offer = offer_of(read("gpu=1, memory=5MiB, licence=3"), Gpus(("3", "1"), VARIABLES[:1]), 1 << 30)
    assert offer.as_map() == {"gpu": 1, "licence": 3, "memory": 5 << 20}
    assert offer.gpus == Gpus(("3",), VARIABLES[:1])
    assert offer_of(read("gpu=0, memory=0"), Gpus(("3",)), 1 << 30).as_map() == {}


def test_more_memory_than_there_is_counts_and_is_doubted() -> None:
    said = read("memory=2GiB")
    assert offer_of(said, None, 1 << 30).as_map() == {"memory": 2 << 30}
    assert "says memory=2GiB, but there is 1GiB only" in doubt_of(said, 1 << 30)
    assert [doubt_of(said, one) for one in (0, 2 << 30)] == ["", ""]
    assert doubt_of({}, 1 << 30) == ""


def test_devices_of_which_nobody_knows_are_numbered() -> None:
    offer = offer_of(read("gpu=2"), None, 0)
    assert offer.gpus == Gpus(("0", "1"), VARIABLES)


def test_more_gpus_than_there_are_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"says gpu=2, but there are 1: 3 \(see CUDA_VISIBLE_DEVICES"):
        offer_of(read("gpu=2"), Gpus(("3",), VARIABLES[:1]), 0)
