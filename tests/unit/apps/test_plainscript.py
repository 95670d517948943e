"""Which files are scripts that make their own connection to a cluster, and which are applications."""

from __future__ import annotations

import pytest

from concurrent.apps.plainscript import Script, script_of

GUARD = '\nif __name__ == "__main__":\n    main()\n'


@pytest.mark.parametrize(
    ("source", "script"),
    [
        ("from concurrent.apps import ClusterExecutor\nClusterExecutor()", Script(True, False)),
        ("import concurrent.apps as a\nwith a.LocalCluster(2) as c: pass", Script(False, True)),
        ("from concurrent.apps import ClusterExecutor as C", Script(True, False)),
        ("from concurrent.apps import LocalCluster, ClusterExecutor", Script(True, True)),
        (f"from shop import main{GUARD}", Script(False, False)),
        ("from concurrent.apps import ApplicationNode\nclass App(ApplicationNode): pass", None),
        (f"from concurrent.apps import ApplicationNode, LocalCluster{GUARD}", None),
        (f"from shop import Base\nclass App(Base): pass{GUARD}", None),
        ("from shop import App", None),
        ("x = 'ClusterExecutor'", None),
        ("if x: pass", None),
        ("this is no Python", None),
        ("\0", None),
    ],
)
def test_a_script_is_known_by_what_it_names(source: str, script: Script | None) -> None:
    assert script_of(source.encode()) == script
