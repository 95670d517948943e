"""An executor in a program that has a pickler of its own."""

import json

from concurrent.apps import LocalCluster
from concurrent.core import Component, implements
from concurrent.scheduling import Codec, IPickler

FACTOR = 3


def dumps(value):
    return json.dumps(value).encode()


class JSONPickler(Component):
    implements(IPickler)

    def codec(self):
        return Codec(dumps, json.loads)


def times(values, *, kind):
    return type(values).__name__, kind(value * FACTOR for value in values)


def error_of(future):
    return type(future.exception(30)).__name__


if __name__ == "__main__":
    with LocalCluster(1, options={"application.pickler": "JSONPickler"}) as cluster:
        print(cluster.submit(times, (1, 2), kind=list).result(30))
        print(list(cluster.map(max, [(1, 2), (4, 3)], [(0, 1), (5, 6)], chunksize=2)))
        print(error_of(cluster.submit(len, {1})), error_of(cluster.submit(set, (1,))))
