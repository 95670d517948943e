"""What the search found, in words and a table. Needs scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
from sklearn.base import clone
from sklearn.model_selection import RandomizedSearchCV

from concurrent.apps.samples.shared.layout import line

from .study import Data

__all__ = ["comparison", "found_lines", "is_same", "parallel_line"]

ROWS = 5


def found_lines(search: RandomizedSearchCV, data: Data) -> Iterator[str]:
    """Yield the best candidates and how the very best does on images that the search did not see."""
    results = search.cv_results_
    count = len(results["params"])
    yield line("data", f"{len(data.images)} images to search with, {len(data.held_out)} held out")
    yield line("search", f"{count} candidates, {search.n_splits_} folds each; the best {min(ROWS, count)}:")
    yield f"{'':12}{'right':>7} {'+-':>7} {'C':>10} {'gamma':>10} {'fit s':>7}"
    for index in numpy.argsort(results["rank_test_score"], kind="stable")[:ROWS]:
        tried = results["params"][index]
        yield (
            f"{'':12}{results['mean_test_score'][index]:7.2%} {results['std_test_score'][index]:7.2%} "
            f"{tried['svc__C']:10.4g} {tried['svc__gamma']:10.4g} {results['mean_fit_time'][index]:7.3f}"
        )
    best = search.best_params_
    model = clone(search.estimator).set_params(**best).fit(data.images, data.digits)
    wrong = int((model.predict(data.held_out) != data.held_out_digits).sum())
    yield line("best", f"C = {best['svc__C']:.4g}, gamma = {best['svc__gamma']:.4g}")
    yield line("held out", f"{1 - wrong / len(data.held_out):.2%} right, {wrong} of {len(data.held_out)} wrong")


def is_same(found: RandomizedSearchCV, expected: RandomizedSearchCV) -> bool:
    """Return whether two searches gave each candidate the same score in each fold, to the last bit."""
    one, other = found.cv_results_, expected.cv_results_
    scores = [name for name in other if name.startswith("split")]
    return one["params"] == other["params"] and all(
        numpy.array_equal(one[name], other[name]) for name in scores
    )


def parallel_line(seconds: float, fits: int, workers: int) -> str:
    """Return how long the cluster took."""
    return line("cluster", f"{seconds:.3f} s for {fits} fits on {workers} workers")


def comparison(sequential_s: float, parallel_s: float, *, is_same: bool) -> Iterator[str]:
    """Yield how long one core took, and whether it found the same."""
    yield line("one core", f"{sequential_s:.3f} s, scores {'identical' if is_same else 'DIFFER'}")
    yield line("speed-up", f"{sequential_s / parallel_s:.2f}")
