"""Where a sequence comes from: a FASTA file, or a text that is repeated; and which letters it may have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from concurrent.core.errors import ConfigurationError

__all__ = ["BadSequence", "Sequence", "checked_length", "read_fasta", "repeated"]

HINT = "set [dnacurve] unknown = skip to leave them out, as if they were not there"


class BadSequence(ConfigurationError):
    """There is no sequence, or it is not one of DNA that can be analysed."""

    code = "bad_sequence"


class Sequence(NamedTuple):
    """A sequence of letters A, C, G and T.

    :param name: of the file's record, or what it was made of.
    """

    name: str
    letters: str


def repeated(text: str, count: int, *, skips_unknown: bool) -> Sequence:
    """Return a text several times, as one sequence.

    :raises BadSequence: if there are letters other than A, C, G and T in it.
    """
    letters = _cleaned(text, "[dnacurve] sequence", skips_unknown=skips_unknown)
    shown = letters if len(letters) <= 20 else f"{letters[:17]}..."
    return Sequence(f"{shown} x {count}", letters * count)


def read_fasta(path: Path, *, skips_unknown: bool) -> Sequence:
    """Read the one sequence of a FASTA file: a line ``>name comment``, then lines of letters.

    The format of W. R. Pearson and D. J. Lipman's program FASTA (PNAS 85, 2444, 1988); its comment lines,
    which begin with ``;``, are left out.

    :raises BadSequence: if the file cannot be read, has no header or more than one, or wrong letters.
    """
    try:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise BadSequence(
            f"{path} cannot be read: {error.strerror}",
            thing=str(path),
            remedy="Set [dnacurve] file to a FASTA file",
        ) from None
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(";")]
    headers = [line for line in lines if line.startswith(">")]
    if not lines or not lines[0].startswith(">"):
        raise BadSequence(
            f"{path} is no FASTA file: it does not begin with a line of '>' and a name",
            thing=str(path),
            value=lines[0][:40] if lines else "",
            remedy="Write such a line above the sequence",
        )
    if len(headers) > 1:
        raise BadSequence(
            f"{path} has {len(headers)} sequences",
            thing=str(path),
            value=len(headers),
            remedy="Give a file with the one that is to be analysed",
        )
    words = headers[0][1:].split()
    letters = _cleaned("".join(lines[1:]), str(path), skips_unknown=skips_unknown)
    return Sequence(words[0] if words else path.stem, letters)


def checked_length(sequence: Sequence, order: int) -> None:
    """Refuse a sequence that a model has no step for.

    :param order: how many bases the model needs at least.
    :raises BadSequence: if there are fewer.
    """
    if len(sequence.letters) < order:
        raise BadSequence(
            f"the sequence {sequence.name} has {len(sequence.letters)} bases, and the model needs {order}",
            thing=sequence.name,
            value=len(sequence.letters),
            remedy="Give a longer sequence with [dnacurve] file or sequence",
        )


def _cleaned(text: str, where: str, *, skips_unknown: bool) -> str:
    """Return the letters in upper case, without numbers, gaps and white space, which files are formatted with.

    :param skips_unknown: whether other letters, such as N, are left out; else they are an error. The
        reference implementation leaves them out without a word.
    """
    letters = re.sub(r"[\d\s*.-]", "", text).upper()
    unknown = sorted(set(letters) - set("ACGT"))
    if unknown and not skips_unknown:
        at = min(map(letters.index, unknown))
        raise BadSequence(
            f"{where} has {', '.join(map(repr, unknown))}, first at base {at + 1}, "
            "but the models know A, C, G and T only",
            thing=where,
            value="".join(unknown),
            remedy=f"Replace them, or {HINT}",
        )
    return re.sub("[^ACGT]", "", letters)
