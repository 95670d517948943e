"""The kernel in pure Python: ``hashlib`` does the work, one call for each candidate. See ``_kernel.pyx``."""

from __future__ import annotations

from hashlib import md5

from .candidates import text_of

__all__ = ["digest_of", "search"]


def digest_of(number: int, width: int) -> bytes:
    """Return the MD5 digest of a number's decimal text.

    :raises ValueError: if the number is negative.
    :raises OverflowError: if its text is too long, see ``candidates.py``.
    """
    return md5(text_of(number, width), usedforsecurity=False).digest()


def search(digest: bytes, first: int, last: int, width: int) -> int | None:
    """Return the first number from ``first`` to below ``last`` whose text has the digest; None if none has.

    :raises ValueError: if the digest has not 16 bytes, or ``first`` is negative.
    :raises OverflowError: if a text is too long, see ``candidates.py``.
    """
    if len(digest) != 16:
        raise ValueError(f"a digest has 16 bytes, not {len(digest)}")
    if first >= last:
        return None
    for number in (first, last - 1):
        text_of(number, width)
    for number in range(first, last):
        if md5(b"%0*d" % (width, number), usedforsecurity=False).digest() == digest:
            return number
    return None
