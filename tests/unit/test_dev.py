"""``dev.py test`` runs the few tests that failed once more, and says which passed then."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import dev

STEADY = "def test_steady():\n    pass\n"
BROKEN = "def test_broken():\n    assert False\n"
UNSTEADY = """
from pathlib import Path

def test_unsteady():
    ran_before = Path(__file__).with_name("ran")
    assert ran_before.exists() or ran_before.touch()
"""


@pytest.mark.parametrize(
    ("code", "failed", "is_worth_it"),
    [
        (0, 0, False),
        (dev.TESTS_FAILED, 1, True),
        (dev.TESTS_FAILED, dev.AGAIN_MAX, True),
        (dev.TESTS_FAILED, dev.AGAIN_MAX + 1, False),
        (dev.TESTS_FAILED, 0, False),
        (2, 1, False),
    ],
    ids=["all passed", "one failed", "few failed", "many failed", "none is known", "interrupted"],
)
def test_few_failures_are_tried_again_and_many_count_at_once(code: int, failed: int, is_worth_it: bool) -> None:
    assert dev.is_worth_another_try(code, [f"test_{number}" for number in range(failed)]) is is_worth_it


def test_unsteady_is_what_fails_at_first_and_passes_alone() -> None:
    assert dev.unsteady(0, ["a", "b"], []) == ["a", "b"]
    assert dev.unsteady(dev.TESTS_FAILED, ["a", "b"], ["b"]) == ["a"]
    assert dev.unsteady(2, ["a", "b"], []) == [], "a second run that was stopped tells nothing"


def test_the_run_fails_if_a_test_fails_again_and_the_others_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(dev, "LAST_FAILED", tmp_path / "cache" / "v" / "cache" / "lastfailed")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for name, text in (("steady", STEADY), ("broken", BROKEN), ("unsteady", UNSTEADY)):
        (tmp_path / f"test_{name}.py").write_text(text)
    pytest_here = [sys.executable, "-m", "pytest", "-o", f"cache_dir={dev.CACHE}"]

    assert dev.run_tests(pytest_here, ["-n", "0"]) == dev.TESTS_FAILED
    assert capfd.readouterr().out.splitlines()[-1] == (
        "==> unsteady: test_unsteady.py::test_unsteady failed at first and passed alone; look into it"
    )
