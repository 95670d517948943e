"""A module of a program of several files."""


def base(x):
    return x + 1
