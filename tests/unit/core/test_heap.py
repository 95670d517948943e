"""A process that keeps freed memory does not fetch it anew for the next large block."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
from concurrent.core.heap import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

assert keep_freed_memory()
bytearray(24 << 20)
before = faults()
for _ in range(10):
    bytearray(24 << 20)
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_a_large_block_that_was_freed_is_used_again_without_page_faults() -> None:
    command = [sys.executable, "-c", PROGRAM]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert int(run.stdout) < 1000  # one block anew would be 6,000
