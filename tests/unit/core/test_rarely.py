"""Log lines that peers cause: which of them are written."""

from __future__ import annotations

from concurrent.core.rarely import RareTexts


def test_a_text_is_due_once_an_hour_and_others_meanwhile() -> None:
    texts = RareTexts()
    assert texts.is_due("anna has no key", 10.0)
    assert not texts.is_due("anna has no key", 3000.0)
    assert texts.is_due("bob has no key", 3000.0)
    assert texts.is_due("anna has no key", 3700.0)
    assert not texts.is_due("anna has no key", 7000.0)


def test_as_many_as_are_remembered_keep_no_more_memory_and_the_oldest_is_said_again() -> None:
    texts = RareTexts(texts_max=2)
    assert [texts.is_due(name, 0.0) for name in "ab"] == [True, True]
    assert not texts.is_due("a", 1.0)
    assert texts.is_due("c", 2.0)
    assert [texts.is_due(name, 3.0) for name in "ab"] == [False, True]
