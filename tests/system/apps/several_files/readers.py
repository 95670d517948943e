"""A module of a program of several files."""

import threading

import other

LOCK = threading.Lock()
LIMIT = 10


class Record:
    def __init__(self, x):
        self.x = x


class ReadError(Exception):
    pass


def parse(x):
    with LOCK:
        return Record(min(x, LIMIT) + other.one())


def fail():
    raise ReadError("no")


def limit():
    return LIMIT


def version():
    return "v1"
