"""What is searched: the decimal texts of a range of numbers. A pure module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["DIGITS_MAX", "Search", "text_of"]

DIGITS_MAX = 55
"""A text of so many digits fills one block of MD5, with the padding and the length behind it (RFC 1321)."""


def text_of(number: int, width: int) -> bytes:
    """Return a number as ASCII digits, with leading zeros up to a width.

    :raises ValueError: if the number is negative.
    :raises OverflowError: if it has more than :data:`DIGITS_MAX` digits.
    """
    if number < 0:
        raise ValueError(f"numbers must be 0 or more, not {number}")
    text = b"%0*d" % (width, number)
    if len(text) > DIGITS_MAX:
        raise OverflowError(f"texts must have {DIGITS_MAX} digits at most, not {len(text)}")
    return text


class Search(NamedTuple):
    """A digest, and the numbers that it may belong to. A few numbers, cheap to send.

    :param digest: 16 bytes.
    :param first: the first number that is tried.
    :param last: the number behind the last one that is tried.
    :param width: shorter numbers get leading zeros; 0 for none.
    """

    digest: bytes
    first: int
    last: int
    width: int

    def blocks(self, numbers_per_block: int) -> Iterator[Search]:
        """Cut the range into blocks, from its beginning; the last one may be smaller."""
        first = self.first
        while first < self.last:
            last = min(first + numbers_per_block, self.last)
            yield self._replace(first=first, last=last)
            first = last

    def block_count(self, numbers_per_block: int) -> int:
        """Return how many blocks :meth:`blocks` cuts the range into."""
        return -(-(self.last - self.first) // numbers_per_block)
