"""The kernels of the MD5 sample: against ``hashlib`` and against each other."""

from __future__ import annotations

import hashlib
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concurrent.apps.samples.md5reverse import kernel, kernel_py
from concurrent.apps.samples.md5reverse.candidates import DIGITS_MAX, Search, text_of

WIDTHS = st.integers(0, DIGITS_MAX)


def numbers_of_all_lengths() -> st.SearchStrategy[int]:
    """Return numbers of 1 to 55 digits, each length as likely."""
    return st.integers(1, DIGITS_MAX).flatmap(lambda digits: st.integers(0, 10**digits - 1))


@pytest.fixture(params=["python", "cython"])
def each_kernel(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "python":
        return kernel_py
    if kernel.KERNEL != "cython":
        pytest.skip("the kernel was not compiled: no C compiler or no Cython at installation")
    return kernel


def md5(text: bytes) -> bytes:
    return hashlib.md5(text).digest()


def test_a_number_in_digits_has_the_digest_that_the_rfc_prints(each_kernel: ModuleType) -> None:
    number = int("1234567890" * 5)
    assert each_kernel.digest_of(number, 0) == md5(b"1234567890" * 5)
    assert each_kernel.digest_of(1, 0).hex() == "c4ca4238a0b923820dcc509a6f75849b"


@given(number=numbers_of_all_lengths(), width=WIDTHS)
def test_digests_are_those_of_hashlib(number: int, width: int) -> None:
    expected = md5(str(number).zfill(width).encode())
    assert kernel.digest_of(number, width) == expected
    assert kernel_py.digest_of(number, width) == expected


@given(number=numbers_of_all_lengths(), before=st.integers(0, 250), behind=st.integers(-3, 120), width=WIDTHS)
def test_both_kernels_find_the_same(number: int, before: int, behind: int, width: int) -> None:
    first, last = max(0, number - before), min(10**DIGITS_MAX, number + behind)
    digest = md5(str(number).zfill(width).encode())
    expected = number if first <= number < last else None
    assert kernel.search(digest, first, last, width) == expected
    assert kernel_py.search(digest, first, last, width) == expected


@pytest.mark.parametrize("digits", range(1, DIGITS_MAX))
def test_a_search_goes_on_where_texts_get_longer(each_kernel: ModuleType, digits: int) -> None:
    number = 10**digits
    for found in (number - 1, number, number + 1):
        assert each_kernel.search(md5(str(found).encode()), number - 2, number + 2, 0) == found


def test_with_a_width_texts_keep_their_length(each_kernel: ModuleType) -> None:
    assert each_kernel.search(md5(b"000100"), 0, 200, 6) == 100
    assert each_kernel.search(md5(b"100"), 0, 200, 6) is None
    assert each_kernel.search(md5(b"1000000"), 999_998, 1_000_002, 6) == 1_000_000


def test_an_empty_range_has_nothing(each_kernel: ModuleType) -> None:
    assert each_kernel.search(md5(b"5"), 5, 5, 0) is None


def test_the_last_text_that_fits_is_found(each_kernel: ModuleType) -> None:
    number = 10**DIGITS_MAX - 1
    assert each_kernel.search(md5(str(number).encode()), number - 1, number + 1, 0) == number


@pytest.mark.parametrize(("first", "last", "width"), [(0, 10**DIGITS_MAX + 1, 0), (0, 1, DIGITS_MAX + 1)])
def test_texts_that_do_not_fit_into_a_block_are_refused(
    each_kernel: ModuleType, first: int, last: int, width: int
) -> None:
    with pytest.raises(OverflowError, match="55 digits"):
        each_kernel.search(bytes(16), first, last, width)


def test_negative_numbers_and_digests_of_another_length_are_refused(each_kernel: ModuleType) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        each_kernel.search(bytes(16), -1, 5, 0)
    with pytest.raises(ValueError, match="16 bytes"):
        each_kernel.search(bytes(15), 0, 5, 0)


@pytest.mark.parametrize("numbers_per_block", [1, 7, 90, 1000])
def test_blocks_tile_the_range(numbers_per_block: int) -> None:
    search = Search(bytes(16), 10, 100, 0)
    blocks = list(search.blocks(numbers_per_block))
    assert [number for block in blocks for number in range(block.first, block.last)] == list(range(10, 100))
    assert len(blocks) == search.block_count(numbers_per_block)


def test_a_text_has_leading_zeros_up_to_its_width() -> None:
    assert [text_of(7, width) for width in (0, 1, 3)] == [b"7", b"7", b"007"]
