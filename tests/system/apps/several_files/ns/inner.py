"""A module of a program of several files."""


def f():
    return "ns"
