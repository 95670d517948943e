"""A module of a program of several files."""


def get():
    return 7
