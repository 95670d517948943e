"""Processes of the framework: how one is tuned, its memory and its collection of garbage, and which it is.

Tuning is for processes of our own. A program that only uses the framework decides itself.
"""

__all__: list[str] = []
