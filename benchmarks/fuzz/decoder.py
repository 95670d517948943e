"""What is fed: a decoder, valid inputs of it, and the errors by which it may refuse others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Decoder"]


@dataclass(frozen=True)
class Decoder:
    """See the module.

    :param name: what it is called in the report.
    :param decode: reads an input.
    :param errors: what it may raise.
    :param inputs: valid ones.
    :param values: valid values of which ``pack`` makes inputs: they are changed before they are packed.
    :param pack: raises InvalidArguments or an error of the library if a value has no form.
    """

    name: str
    decode: Callable[[bytes], object]
    errors: tuple[type[BaseException], ...]
    inputs: tuple[bytes, ...]
    values: tuple[Any, ...] = ()
    pack: Callable[[Any], bytes] = bytes
