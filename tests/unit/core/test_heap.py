"""A process that keeps freed memory does not fetch it anew for the next large block."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import sys
import threading
from concurrent.core.process.heap import keep_freed_memory, keeping_any_block

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def allocate(size):
    with keeping_any_block():
        bytearray(size)

def in_a_thread(size):
    thread = threading.Thread(target=bytearray, args=(size,))
    thread.start()
    thread.join()

if sys.argv[2] == "kept":
    assert keep_freed_memory()
make = {"main": bytearray, "thread": in_a_thread, "any": allocate}[sys.argv[1]]
size = int(sys.argv[3])
make(size)
before = faults()
for _ in range(10):
    make(size)
print(faults() - before)
"""
MIB = 1 << 20


def faults(where: str, how: str, size: int) -> int:
    """Return the page faults for ten blocks of a size, after one that was freed."""
    command = [sys.executable, "-c", PROGRAM, where, how, str(size)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return int(run.stdout)


only_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")


@only_glibc
@pytest.mark.parametrize(("where", "size"), [("main", 24 * MIB), ("thread", 24 * MIB), ("any", 48 * MIB)])
def test_a_large_block_that_was_freed_is_used_again_without_page_faults(where: str, size: int) -> None:
    assert faults(where, "kept", size) < size // 4096 // 4  # one block anew would be four times as many


@only_glibc
def test_a_process_that_keeps_nothing_is_left_as_it_is() -> None:
    assert faults("any", "not", 48 * MIB) > 10 * 48 * MIB // 4096 // 2
