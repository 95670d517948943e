"""How much of the machine a process may use, with a folder in the place of the file system of the kernel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from concurrent.core.process.machine import Machine

V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
V1 = (
    "31 24 0:27 {root} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "32 24 0:28 {root} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct"
)
GIB = 1 << 30


def machine(folder: Path, groups: str, mounts: str, files: dict[str, str]) -> Machine:
    files = {"proc/self/cgroup": groups, "proc/self/mountinfo": mounts, **files}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return Machine(folder)


@pytest.fixture
def many_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(64)), raising=False)
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_PHYS_PAGES": 1 << 24, "SC_PAGE_SIZE": 4096}[name])


@pytest.mark.usefixtures("many_cpus")
def test_without_control_groups_the_machine_is_the_limit(tmp_path: Path) -> None:
    assert Machine(tmp_path).cpus() == 64
    assert Machine(tmp_path).memory_bytes() == 64 * GIB


@pytest.mark.usefixtures("many_cpus")
def test_the_least_limit_on_the_way_up_counts(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/jobs/job7/memory.max": "max",
        "sys/fs/cgroup/jobs/job7/cpu.max": "250000 100000",
        "sys/fs/cgroup/jobs/memory.max": str(8 * GIB),
        "sys/fs/cgroup/jobs/cpu.max": "max 100000",
    }
    made = machine(tmp_path, "0::/jobs/job7", V2, files)
    assert made.memory_bytes() == 8 * GIB
    assert made.cpus() == 3
    assert [folder.name for folder in made.groups("memory")] == ["job7", "jobs", "cgroup"]


@pytest.mark.usefixtures("many_cpus")
def test_a_part_of_a_processor_is_one(tmp_path: Path) -> None:
    made = machine(tmp_path, "0::/", V2, {"sys/fs/cgroup/cpu.max": "50000 100000"})
    assert made.cpus() == 1


@pytest.mark.usefixtures("many_cpus")
@pytest.mark.parametrize(("root", "path"), [("/", "/box"), ("/docker/1234", "/docker/1234/box")])
def test_the_first_version_has_a_hierarchy_for_each_controller(tmp_path: Path, root: str, path: str) -> None:
    files = {
        "sys/fs/cgroup/memory/box/memory.limit_in_bytes": str(2 * GIB),
        "sys/fs/cgroup/memory/memory.limit_in_bytes": str((1 << 63) - 4096),
        "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": "200000",
        "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
    }
    groups = f"4:memory:{path}\n3:cpu,cpuacct:{path}\n0::{path}"
    made = machine(tmp_path, groups, V1.format(root=root), files)
    assert made.memory_bytes() == 2 * GIB
    assert made.cpus() == 2


@pytest.mark.usefixtures("many_cpus")
def test_a_group_that_is_not_seen_from_here_is_that_of_the_mount(tmp_path: Path) -> None:
    made = machine(tmp_path, "0::/../../far", V2, {"sys/fs/cgroup/memory.max": str(GIB)})
    assert made.memory_bytes() == GIB


@pytest.mark.usefixtures("many_cpus")
def test_what_the_kernel_writes_otherwise_is_no_limit(tmp_path: Path) -> None:
    made = machine(tmp_path, "nonsense", "nonsense - cgroup2", {"sys/fs/cgroup/memory.max": "7"})
    assert made.memory_bytes() == 64 * GIB


@pytest.mark.parametrize("version", [1, 2])
def test_files_that_the_kernel_keeps_are_free_memory(tmp_path: Path, version: int) -> None:
    meminfo = f"MemTotal: 99 kB\nMemAvailable:   {4 << 20} kB\nCached: 5 kB"
    if version == 2:
        folder, prefix, limit, used = "sys/fs/cgroup/job/", "", "memory.max", "memory.current"
        groups, mounts = "0::/job", V2
    else:
        folder, prefix = "sys/fs/cgroup/memory/", "total_"
        limit, used = "memory.limit_in_bytes", "memory.usage_in_bytes"
        groups, mounts = "4:memory:/", V1.format(root="/")
    stat = f"anon 7\n{prefix}inactive_file {GIB // 2}\n{prefix}active_file {GIB // 4}"
    files = {
        "proc/meminfo": meminfo,
        folder + limit: str(2 * GIB),
        folder + used: str(2 * GIB - 1000),
        folder + "memory.stat": stat,
    }
    made = machine(tmp_path, groups, mounts, files)
    assert made.free_bytes() == 3 * GIB // 4 + 1000
    (tmp_path / folder / limit).write_text("max")
    assert made.free_bytes() == 4 * GIB


def test_what_is_free_is_unknown_where_nobody_says_it(tmp_path: Path) -> None:
    assert Machine(tmp_path).free_bytes() == 0
    assert machine(tmp_path, "0::/", V2, {"proc/meminfo": "MemAvailable: 0 kB"}).free_bytes() == 1


def test_this_process_may_use_something() -> None:
    assert 1 <= Machine().cpus() <= (os.cpu_count() or 1)
    assert Machine().memory_bytes() > 0
