"""The rules of section ``[components]``: which component classes are enabled. A pure module."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["OWN", "EnablingRules"]

OWN = "concurrent."
"""How the names of the framework's own classes begin."""


class EnablingRules:
    """Patterns of class names, and whether the classes that fit are enabled; without a rule a class is.

    :param rules: pattern to truth: ``pkg.module.Class``, ``Class``, ``pkg.module.*`` or ``*``. Case does not
        matter. The name of a class decides before any beginning of it, and the longest beginning before others.
    """

    def __init__(self, rules: Mapping[str, bool]) -> None:
        self._rules = {pattern.lower(): value for pattern, value in rules.items()}

    def is_enabled(self, name: str) -> bool:
        """Return what the rule for a class says; true without one."""
        rule = self.rule_of(name)
        return rule is None or self._rules[rule]

    def rule_of(self, name: str) -> str | None:
        """Return the pattern that decides about a class, in lower case; None without one.

        ``*`` alone is about plug-ins: what the framework needs stays.

        :param name: that of the class, with its module.
        """
        name = name.lower()
        for exact in (name, name.rpartition(".")[2]):
            if exact in self._rules:
                return exact
        beginnings = [
            pattern
            for pattern in self._rules
            if pattern.endswith("*") and name.startswith(pattern.removesuffix("*"))
            if pattern != "*" or not name.startswith(OWN)
        ]
        return max(beginnings, key=len, default=None)

    def enables_part_of(self, module: str) -> bool:
        """Return whether a component of a module may be enabled, whatever its name is."""
        beginning = f"{module.lower()}."
        best = ""
        enabled = True
        for pattern, value in self._rules.items():
            start = pattern.removesuffix("*")
            is_bare = "." not in pattern and not pattern.endswith("*")  # the class may be in any module
            if value and (is_bare or start.startswith(beginning)):
                return True
            if pattern.endswith("*") and beginning.startswith(start) and len(pattern) >= len(best):
                best, enabled = pattern, value
        return enabled
