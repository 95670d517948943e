"""Tells a script that makes its own connection to a cluster from an application, by its text. Pure."""

from __future__ import annotations

import ast
from typing import Final, NamedTuple

__all__ = ["APPLICATION", "Script", "script_of"]

APPLICATION: Final = "ApplicationNode"
ON_A_CLUSTER: Final = "ClusterExecutor"
OF_ITS_OWN: Final = "LocalCluster"


class Script(NamedTuple):
    """What a script names."""

    names_cluster: bool
    names_local: bool


def script_of(source: bytes) -> Script | None:
    """Return what a file names if it is a script, and no application.

    It is one if it names an executor and no ``ApplicationNode``; or neither, but runs itself
    (``if __name__ == "__main__"``) and derives no class.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # whoever runs it is told
        return None
    names: set[str] = set()
    derives = runs_itself = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.alias):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            derives = derives or bool(node.bases)
    for statement in tree.body:
        if isinstance(statement, ast.If):
            tested = {each.id for each in ast.walk(statement.test) if isinstance(each, ast.Name)}
            runs_itself = runs_itself or "__name__" in tested
    if APPLICATION in names:
        return None
    script = Script(ON_A_CLUSTER in names, OF_ITS_OWN in names)
    return script if any(script) or (runs_itself and not derives) else None
