"""A ranking under any changes gives the least value, as a plain search would."""

from random import Random

from concurrent.core.ranking import Ranking


def test_the_first_is_the_least_whatever_was_put_and_dropped() -> None:
    random = Random(1)
    ranking = Ranking()
    expected: dict[int, float] = {}
    for _ in range(5000):
        key = random.randrange(50)
        if random.random() < 0.3:
            ranking.drop(key)
            expected.pop(key, None)
        else:
            value = random.randrange(20) / 2
            ranking.put((value, key))
            expected[key] = value
        least = min(((value, key) for key, value in expected.items()), default=None)
        assert ranking.first() == least
        assert len(ranking) == len(expected)


def test_changes_without_end_take_no_memory_without_end() -> None:
    ranking = Ranking()
    for value in range(10_000):
        ranking.put((-value, 1))
    assert len(ranking._heap) < 200
    ranking.clear()
    assert ranking.first() is None
