"""How a process of the framework is tuned: its memory and its collection of garbage.

It is for processes of our own. A program that only uses the framework decides itself.
"""

__all__: list[str] = []
