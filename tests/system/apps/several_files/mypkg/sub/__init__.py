"""A module of a program of several files."""

from ..util import base


def deep(x):
    return base(x) * 2


def lazily():
    from .. import hidden
    from ..hidden import get

    return get() + hidden.get()
