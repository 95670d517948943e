"""Two masters in one process, each with the plug-ins of its own folder, which it alone has.

usage: two_environments.py FOLDER FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from concurrent.apps import ClusterExecutor, MasterNode
from concurrent.core import Component, Environment, implements
from concurrent.scheduling.interfaces import ITaskScheduleStrategy


class NobodyAsked(Component):
    """A strategy that no environment was told of."""

    implements(ITaskScheduleStrategy)

    def rate(self, slave):
        """Be called by nobody."""
        raise AssertionError("this strategy was found by chance")


def made(folder: str) -> Environment:
    """Return the environment in a folder, with its plug-ins."""
    options = {"master.port": "0", "master.workers": "1", "logging.level": "error"}
    env = Environment.open(Path(folder), overrides=options)
    assert env.load_plugins() == []
    return env


def main() -> None:
    """Run a task on each master and print what each environment knows."""
    environments = [made(folder) for folder in sys.argv[1:]]
    masters = [MasterNode(env) for env in environments]
    for master in masters:
        master.start()
    try:
        for master in masters:
            master.wait_slave(30)
        for env, master in zip(environments, masters, strict=True):
            with ClusterExecutor(f"127.0.0.1:{master.api_service_v1.port}") as executor:
                executor.submit(pow, 2, 5).result(30)
            (plugin,) = env.plugins
            strategies = [env.name_of(cls) for cls in env.classes_of(ITaskScheduleStrategy)]
            asked = [other[cls].asked for other in environments for cls in plugin.components if cls in other]
            sections = [item.section for item in env.config.items() if item.section in ("left", "right")]
            print(*(name for name in strategies if not name.startswith("concurrent.")), *sections, len(asked))
            assert asked[0] > 0
    finally:
        for master in reversed(masters):
            master.stop()


if __name__ == "__main__":
    main()
