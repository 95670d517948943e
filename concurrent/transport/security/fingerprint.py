"""The fingerprint of an authority as people read it out: each group ends with a character that checks it.

A pure module.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from concurrent.core.errors import ConfigurationError

__all__ = ["compare_fingerprint", "fingerprint_of"]

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
GROUPS: Final = 6
DATA: Final = 5
"""Characters of a group without the one that checks it; six of these groups are 150 bits."""

HEARD_AS: Final = str.maketrans({"0": "O", "1": "I", "8": "B", " ": "", "-": ""})


def fingerprint_of(public_key: bytes) -> str:
    """Return the fingerprint of the public key of an authority, as ``ABCDEF-GHIJKL-...``."""
    text = base64.b32encode(hashlib.sha256(b"concurrent authority\0" + public_key).digest()).decode()
    groups = (text[DATA * place : DATA * (place + 1)] for place in range(GROUPS))
    return "-".join(group + _check(place, group) for place, group in enumerate(groups))


def compare_fingerprint(text: str, expected: str) -> bool:
    """Return whether a person has read or typed the expected fingerprint.

    :raises ConfigurationError: if it is none, or a group is mistyped: it says which.
    """
    plain = text.upper().translate(HEARD_AS)
    size = DATA + 1
    if len(plain) != GROUPS * size:
        raise _wrong(text, f"a fingerprint has {GROUPS * size} letters and digits, and this has {len(plain)}")
    groups = [plain[size * place : size * (place + 1)] for place in range(GROUPS)]
    for place, group in enumerate(groups):
        if not set(group) <= set(ALPHABET) or _check(place, group[:DATA]) != group[DATA]:
            raise _wrong(text, f"group {place + 1}, {group}, is mistyped")
    return "-".join(groups) == expected


def _check(place: int, group: str) -> str:
    """Return the character that tells a wrong character, two exchanged ones, and a group in another place.

    It is the value of a polynomial over the field of 32 elements, in which doubling never repeats itself.
    """
    check = place + 1
    for char in group:
        check = _doubled(check) ^ ALPHABET.index(char)
    return ALPHABET[_doubled(check)]


def _doubled(value: int) -> int:
    return value << 1 if value < 16 else (value << 1) ^ 0b100101


def _wrong(text: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        reason, thing="fingerprint", value=text, remedy="Compare it with 'concurrent keys show' of the master"
    )
