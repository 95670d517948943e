"""A module of a program of several files."""


def one():
    return 1
