"""Searches the parameters of a model with scikit-learn, whose fits run on the cluster through joblib.

``concurrent app modelsearch`` runs it. ``study.py`` has the study, which knows nothing of clusters; here it is
given one, and the same search on one core shows that the scores are the same.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from concurrent.apps import ApplicationNode, ClusterExecutor
from concurrent.core import BoolItem, IntItem
from concurrent.core.errors import ConfigurationError

if TYPE_CHECKING:
    from sklearn.model_selection import RandomizedSearchCV

    from .study import Data

__all__ = ["ModelSearch"]

SECTION = "modelsearch"
INSTALL = 'pip install "concurrent-framework[joblib]" scikit-learn'


class ModelSearch(ApplicationNode):
    """Searches the parameters of a classifier of handwritten digits, and checks its scores on one core."""

    candidates = IntItem(SECTION, "candidates", 40, "How many pairs of parameters are drawn.", minimum=2)
    folds = IntItem(SECTION, "folds", 5, "How often each is fitted and scored.", minimum=2, maximum=20)
    seed = IntItem(SECTION, "seed", 1, "Of what is drawn: the same seed gives the same scores.", minimum=0)
    sequential = BoolItem(SECTION, "sequential", True, "Whether one core does the search too, to compare.")

    has_bar = True

    def app_init(self) -> None:
        """Prepare the study.

        :raises ConfigurationError: if scikit-learn is not installed, or it is started as a job.
        """
        if self.job_run is not None:
            raise ConfigurationError(
                "a search of scikit-learn ends with its program, so a job of it would have nothing to keep",
                thing="--job",
                remedy="Leave out --job and --detach",
            )
        try:
            # joblib knows the backend "concurrent" from this import on.
            from concurrent.apps.integrations.joblib import ConcurrentBackend  # noqa: F401

            from . import report, study
        except ImportError as error:
            raise ConfigurationError(
                f"the sample modelsearch needs scikit-learn and joblib, and {error.name} cannot be imported",
                thing="scikit-learn",
                value=error.name,
                remedy=f"Install them here, and where slaves are: {INSTALL}",
            ) from error
        self.study, self.report = study, report
        self.data: Data = study.digits(self.seed)

    def start_processing(self) -> None:
        """Search on the cluster, then on one core; then say what was found."""
        workers = self.wait_workers()
        with ClusterExecutor(str(self.master_address)) as cluster, self.bar_of(cluster):
            # A fit takes one core: numeric libraries of the worker use one thread, not one for each core.
            one_core = cluster.options(resources={"cpu": 1})
            found, parallel_s = self.search("concurrent", cluster=one_core)
        print(*self.report.found_lines(found, self.data), sep="\n", flush=True)
        print(self.report.parallel_line(parallel_s, self.candidates * self.folds, workers), flush=True)
        is_same = True
        if self.sequential:
            expected, sequential_s = self.search("sequential")
            is_same = self.report.is_same(found, expected)
            print(*self.report.comparison(sequential_s, parallel_s, is_same=is_same), sep="\n", flush=True)
        self.shutdown_main_loop(0 if is_same else 1)

    def hide_progress(self) -> None:
        """Show no bars, not for what joblib submits either."""
        super().hide_progress()
        self.has_bar = False

    def bar_of(self, cluster: ClusterExecutor) -> AbstractContextManager[None]:
        """Return what shows how far joblib is, which forms batches of fits as it goes."""
        return cluster.progress("batches of fits") if self.has_bar else nullcontext()

    def search(self, backend: str, **options: Any) -> tuple[RandomizedSearchCV, float]:
        """Do the search with a backend of joblib; return it with its seconds."""
        import joblib

        search = self.study.new_search(self.candidates, self.folds, self.seed)
        begin_s = time.perf_counter()
        with joblib.parallel_config(backend, **options):
            search.fit(self.data.images, self.data.digits)
        return search, time.perf_counter() - begin_s
