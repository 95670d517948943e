"""A module of a program of several files."""

from .sub import deep as deep

NAME = __name__
