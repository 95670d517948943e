"""A module of a program of several files."""

V = 5
