"""Sequences of the DNA sample: FASTA files, repeated text, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from concurrent.apps.samples.dnacurve.sequence import BadSequence, checked_length, read_fasta, repeated


def fasta(folder: Path, text: str) -> Path:
    path = folder / "some.fasta"
    path.write_bytes(text.encode("latin-1"))
    return path


def test_a_file_has_a_name_and_letters_on_several_lines(tmp_path):
    path = fasta(tmp_path, "\n>K-DNA a circle\r\nGATC tagact\r\n\r\n  61 ACG-T*\n")
    assert read_fasta(path, skips_unknown=False) == ("K-DNA", "GATCTAGACTACGT")


def test_old_comments_are_left_out_and_a_header_may_be_empty(tmp_path):
    assert read_fasta(fasta(tmp_path, ";note\n>\nAC\n;GG\nGT"), skips_unknown=False) == ("some", "ACGT")


def test_a_text_is_repeated():
    assert repeated("atgc", 3, skips_unknown=False) == ("ATGC x 3", "ATGCATGCATGC")


@pytest.mark.parametrize("text", ["ACGNT", "ACGUT", "ACG/T", "ACGäT"])
def test_other_letters_are_refused_or_skipped(tmp_path, text):
    path = fasta(tmp_path, f">x\n{text}")
    with pytest.raises(BadSequence, match=r"first at base 4.*unknown = skip"):
        read_fasta(path, skips_unknown=False)
    assert read_fasta(path, skips_unknown=True).letters == "ACGT"


def test_all_wrong_letters_are_named():
    with pytest.raises(BadSequence, match="'N', 'U', first at base 2"):
        repeated("AUGN", 1, skips_unknown=False)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no FASTA file"),
        ("ACGT", "is no FASTA file"),
        ("ACGT\n>name\nACGT", "is no FASTA file"),
        (">a\nACGT\n>b\nACGT", "has 2 sequences"),
    ],
)
def test_what_is_no_file_of_one_sequence_is_refused(tmp_path, text, problem):
    with pytest.raises(BadSequence, match=problem):
        read_fasta(fasta(tmp_path, text), skips_unknown=False)


def test_a_file_that_can_not_be_read_is_refused(tmp_path):
    with pytest.raises(BadSequence, match=r"missing\.fasta cannot be read.*\[dnacurve\] file"):
        read_fasta(tmp_path / "missing.fasta", skips_unknown=False)


@pytest.mark.parametrize("text", ["", "A", "AC"])
def test_a_sequence_shorter_than_a_step_is_refused(text):
    with pytest.raises(BadSequence, match=f"has {len(text)} bases, and the model needs 3"):
        checked_length(repeated(text, 1, skips_unknown=False), 3)
