"""A module of a program of several files."""

import lazier


def value():
    return lazier.V
