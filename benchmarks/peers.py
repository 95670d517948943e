"""Other systems that are measured where they are installed and asked for."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.options import Options
from benchmarks.systems import CHUNK, WAIT_S, Executing, Function, System

__all__ = ["is_installed", "open_peer"]

ROOT = str(Path(__file__).resolve().parents[1])
MODULE_BY_NAME = {"loky": "loky", "ray": "ray", "dask": "distributed", "ipyparallel": "ipyparallel"}


class Loky(Executing):
    """loky: the executor of joblib."""

    def __init__(self, stack: ExitStack, options: Options) -> None:
        from loky import ProcessPoolExecutor

        super().__init__("loky", stack.enter_context(ProcessPoolExecutor(options.workers)))


class Ray(System):
    """ray, its core: remote functions; it has no call that takes many."""

    def __init__(self, stack: ExitStack, options: Options) -> None:
        super().__init__("ray")
        import ray

        self._ray = ray
        self._remote_by_function: dict[Function, Any] = {}
        ray.init(
            num_cpus=options.workers,
            include_dashboard=False,
            log_to_driver=False,
            runtime_env={"env_vars": {"PYTHONPATH": ROOT}},
        )
        stack.callback(ray.shutdown)

    def one_by_one(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """See the base."""
        remote = self._remote(function)
        results: list[Any] = self._ray.get([remote.remote(each) for each in arguments], timeout=WAIT_S)
        return results

    def in_bulk(self, function: Function, arguments: Sequence[Any]) -> None:
        """There is no such call."""

    def call(self, function: Function, argument: Any) -> Any:
        """See the base."""
        return self.one_by_one(function, [argument])[0]

    def _remote(self, function: Function) -> Any:
        if function not in self._remote_by_function:
            self._remote_by_function[function] = self._ray.remote(function)
        return self._remote_by_function[function]


class Dask(System):
    """dask.distributed: a scheduler, and worker processes of one thread each, over TCP."""

    def __init__(self, stack: ExitStack, options: Options) -> None:
        super().__init__("dask")
        from distributed import Client, LocalCluster

        cluster = stack.enter_context(
            LocalCluster(
                n_workers=options.workers, threads_per_worker=1, processes=True, dashboard_address=None
            )
        )
        self._client = stack.enter_context(Client(cluster, timeout=WAIT_S))

    def one_by_one(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """See the base."""
        return self._gather([self._client.submit(function, each, pure=False) for each in arguments])

    def in_bulk(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """See the base."""
        return self._gather(self._client.map(function, list(arguments), pure=False))

    def call(self, function: Function, argument: Any) -> Any:
        """See the base."""
        return self._client.submit(function, argument, pure=False).result(timeout=WAIT_S)

    def _gather(self, futures: list[Any]) -> list[Any]:
        results: list[Any] = self._client.gather(futures)
        return results


class IPyParallel(System):
    """ipyparallel: a controller, and engines behind its load-balanced view."""

    def __init__(self, stack: ExitStack, options: Options) -> None:
        super().__init__("ipyparallel")
        import ipyparallel

        client = stack.enter_context(ipyparallel.Cluster(n=options.workers, log_level=40))
        client.wait_for_engines(options.workers, timeout=WAIT_S)
        client[:].apply_sync(sys.path.insert, 0, ROOT)
        self._view = client.load_balanced_view()

    def one_by_one(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """See the base."""
        answers = [self._view.apply_async(function, each) for each in arguments]
        return [answer.get(timeout=WAIT_S) for answer in answers]

    def in_bulk(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """See the base."""
        return list(self._view.map_async(function, list(arguments), chunksize=CHUNK).get(timeout=WAIT_S))

    def call(self, function: Function, argument: Any) -> Any:
        """See the base."""
        return self._view.apply_async(function, argument).get(timeout=WAIT_S)


CLASS_BY_NAME: dict[str, Callable[[ExitStack, Options], System]] = {
    "loky": Loky,
    "ray": Ray,
    "dask": Dask,
    "ipyparallel": IPyParallel,
}


def is_installed(name: str) -> bool:
    """Return whether a peer can be measured in this environment."""
    return importlib.util.find_spec(MODULE_BY_NAME[name]) is not None


@contextmanager
def open_peer(name: str, options: Options) -> Iterator[System]:
    """Start one of them, and end it with the block."""
    with ExitStack() as stack:
        yield CLASS_BY_NAME[name](stack, options)
