"""New memory costs little before it is used, and nothing of it is shared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from concurrent.transport.frames.blocks import MAPPED_BYTES_MIN, copied, new_block

SIZES = [0, 1, 100_000, MAPPED_BYTES_MIN - 1, MAPPED_BYTES_MIN, MAPPED_BYTES_MIN + 1]

PROGRAM = """
import resource
from concurrent.transport.frames.blocks import new_block

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

data = b"x" * (32 << 20)
new_block(len(data))
before = faults()
block = new_block(len(data))
untouched = faults() - before
block[:] = data
print(untouched, faults() - before)
"""


def has_huge_pages() -> bool:
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return setting.exists() and "[never]" not in setting.read_text()


@pytest.mark.parametrize("size", SIZES)
def test_a_block_has_its_size_and_can_be_written_to(size: int) -> None:
    block = new_block(size)
    assert (len(block), block.nbytes, block.format, block.readonly) == (size, size, "B", False)
    block[:] = b"x" * size
    assert bytes(block) == b"x" * size


@pytest.mark.parametrize("size", SIZES)
def test_a_copy_has_memory_of_its_own(size: int) -> None:
    original = bytearray(b"x" * size)
    copy = copied(original)
    original[:] = b"y" * size
    assert bytes(copy) == b"x" * size


@pytest.mark.parametrize("size", [100_000, MAPPED_BYTES_MIN])
def test_no_two_blocks_share_memory(size: int) -> None:
    one, other = new_block(size), new_block(size)
    one[:] = b"x" * size
    other[:] = b"y" * size
    assert bytes(one) == b"x" * size


@pytest.mark.skipif(not has_huge_pages(), reason="this system gives no huge pages")
def test_a_very_large_block_is_filled_with_few_page_faults_and_none_before() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    untouched, filled = map(int, run.stdout.split())
    assert untouched < 100
    assert filled < 4096  # 8,192 with small pages
