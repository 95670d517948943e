"""A module of a program of several files."""

import importlib
import os
import pathlib
import sys

import config
import mypkg.sub
import ns.inner
import readers
from mypkg.sub import deep
from readers import Record, parse

from concurrent.apps import ClusterExecutor, LocalCluster


def use(x):
    return readers.parse(x).x


def use_lazy():
    import lazy

    return lazy.value()


def use_lazy_pkg():
    from mypkg import hidden

    return hidden.get()


def use_pkg(x):
    return mypkg.sub.deep(x)


def use_config():
    return config.DEBUG


def is_record(r):
    return isinstance(r, Record), isinstance(r, readers.Record)


def pickles(r):
    import pickle

    return type(pickle.loads(pickle.dumps(r))) is Record


bad = []


def check(name, seen, want):
    if seen != want:
        bad.append(name)
        print("WRONG", name, repr(seen)[:300], "wanted", want)


def run(f, *a):
    try:
        return cluster.submit(f, *a).result(30)
    except Exception as e:  # boundary: shown and compared
        return type(e), str(e)


if __name__ == "__main__":
    config.DEBUG = True
    with LocalCluster(1) if len(sys.argv) < 2 else ClusterExecutor(sys.argv[1]) as cluster:
        for _ in range(3):
            check("use", run(use, 3), 4)
            check("lazy", run(use_lazy), 5)
            check("lazy pkg", run(use_lazy_pkg), 7)
            check("use_pkg", run(use_pkg, 1), 4)
            check("deep", run(deep, 1), 4)
            check("lazily", run(mypkg.sub.lazily), 14)
            check("parse", type(run(parse, 1)) is Record, True)
            check("record", run(is_record, Record(1)), (True, True))
            check("record type", run(type, Record(1)) is Record, True)
            check("pickles", run(pickles, Record(1)), True)
            check("lambda", run(lambda: readers.parse(1).x), 2)
            check("ns", run(ns.inner.f), "ns")
            check("error", run(readers.fail)[0] is readers.ReadError, True)
            check("config", run(use_config), True)
            check("limit", run(readers.limit), 10)
        readers.LIMIT = 2
        check("changed", run(use, 3), 3)
        check("changed2", run(readers.limit), 2)
        config.DEBUG = "x"
        check("config2", run(use_config), "x")
        p = pathlib.Path(readers.__file__)
        p.write_text(p.read_text().replace("v1", "v2 longer").replace("LIMIT = 10", "LIMIT = 100"))
        importlib.reload(readers)
        check("reloaded", run(readers.version), "v2 longer")
        check("reloaded", run(readers.limit), 100)
        check("reloaded parse", run(use, 50), 51)
        readers.other.one = lambda: 5
        check("monkeypatched", run(use, 50), 55)
    print(len(bad), "wrong")
    os._exit(bool(bad))
