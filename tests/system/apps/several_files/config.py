"""A module of a program of several files."""

DEBUG = False
ARGS = None
