"""The study itself, as it would be without a cluster: data, model, and what is tried. Needs scikit-learn."""

from __future__ import annotations

from typing import Any, NamedTuple

from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

__all__ = ["Data", "digits", "new_search"]

TRIED = {"svc__C": loguniform(1e-2, 1e3), "svc__gamma": loguniform(1e-5, 1e0)}
"""Nobody knows the order of magnitude, so logarithms are drawn evenly."""


class Data(NamedTuple):
    """Images of handwritten digits, 64 grey values each, and which digit it is.

    :param held_out: what nothing of the search sees, and likewise ``held_out_digits``.
    """

    images: Any
    held_out: Any
    digits: Any
    held_out_digits: Any


def digits(seed: int) -> Data:
    """Return the 1797 images that come with scikit-learn, a fifth of them held out."""
    images, labels = load_digits(return_X_y=True)
    return Data(*train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=seed))


def new_search(candidates: int, folds: int, seed: int) -> RandomizedSearchCV:
    """Return a search that has not begun. The same arguments give the same candidates and the same folds.

    :param candidates: how many pairs of parameters are drawn.
    :param folds: how often each is fitted, always without another part of the images, on which it is scored.
    """
    return RandomizedSearchCV(
        make_pipeline(StandardScaler(), SVC()),  # scaled within each fold: no fold may know of another
        TRIED,
        n_iter=candidates,
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
        random_state=seed,
        error_score="raise",
        refit=False,  # the one fit of the winner is left to whoever wants the model
    )
