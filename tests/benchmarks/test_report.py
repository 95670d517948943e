"""The tables: figures together whoever measured them, and what is to be reached beside what is."""

from __future__ import annotations

from benchmarks.measure import Figure, Recorder, Target
from benchmarks.report import table, targets_table

RATE = Figure("case.rate", "some rate", "tasks/s", "pool", target=Target(100.0, ratio=2.0, system="push"))
DELAY = Figure("case.delay", "some delay", "ms", "pool", is_less_better=True, target=Target(0.5, system="push"))
PLAIN = Figure("case.plain", "what has no target", "s", "pool")


def recorded(values: dict[tuple[Figure, str], float], task_count: int | None = None) -> Recorder:
    """Return a recorder with one repetition."""
    recorder = Recorder(["push"])
    for (figure, system), value in values.items():
        recorder.add(figure, system, value, task_count=task_count)
    return recorder


def words(text: str) -> list[list[str]]:
    """Return the words of each line below the heading."""
    return [line.split() for line in text.splitlines()[2:]]


def test_what_a_peer_measured_later_stands_below_ours() -> None:
    ours = recorded({(RATE, "push"): 250.0, (RATE, "pool"): 100.0, (DELAY, "push"): 0.4})
    peer = recorded({(RATE, "slow"): 1.0}, task_count=1_234)
    lines = words(table([*ours.rows(), *peer.rows()]))
    assert [line[0] for line in lines] == ["some", "pool", "slow", "some"]
    assert "1,234" in lines[2]


def test_the_targets_say_what_is_to_be_reached_and_whether_it_was() -> None:
    rows = recorded(
        {(RATE, "push"): 150.0, (RATE, "pool"): 100.0, (DELAY, "push"): 0.4, (PLAIN, "push"): 1.0}
    ).rows()
    assert words(targets_table(rows)) == [
        ["some", "rate", "tasks/s", "push", "150", "1.50", ">=", "100,", ">=", "2", "x", "NO"],
        ["some", "delay", "ms", "push", "0.4", "<=", "0.5", "yes"],
    ]


def test_without_any_target_there_is_the_heading_only() -> None:
    assert words(targets_table(recorded({(PLAIN, "push"): 1.0}).rows())) == []
