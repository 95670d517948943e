"""A program with one call for an executor; it prints the clock when it has the result.

Its first argument is how many workers a cluster of its own has, or the address of a master; options follow as
``section.option=text``.
"""

from __future__ import annotations

import sys
import time

from concurrent.apps import ClusterExecutor, LocalCluster

__all__: list[str] = []

if __name__ == "__main__":
    where, *assignments = sys.argv[1:]
    options = dict(each.split("=", 1) for each in assignments)
    own = where.isdecimal()
    with (
        LocalCluster(int(where), options=options) if own else ClusterExecutor(where, options=options) as cluster
    ):
        cluster.submit(abs, -1).result()
        print(time.monotonic(), flush=True)
