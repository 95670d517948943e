"""The table of who may do what: all methods and views of real nodes, and the roles that they are for.

``python -m tests.integration.apps.roletable`` writes it to ``tests/data/roles.txt``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from concurrent.apps import ApplicationNode, MasterNode, SlaveNode
from concurrent.apps.client import ClusterClient
from concurrent.apps.revoked import follow_revoked
from concurrent.apps.slavelog import tell_log
from concurrent.core import Environment
from concurrent.core.logring import LogRing
from concurrent.scheduling.owner.news import TaskNews
from concurrent.scheduling.owner.systemhost import _Run
from concurrent.scheduling.slave.pullingmanager import ZMQTaskManager
from concurrent.scheduling.slave.taskmanager import GenericTaskManager
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.security.roles import Role
from concurrent.transport.security.trust import Trust
from concurrent.transport.web.service import JSONService

FILE: Final = Path(__file__).resolve().parents[2] / "data" / "roles.txt"
ROLES: Final = tuple(Role)
OPEN_TO_ALL: Final = "/ping"
"""The only thing that a stranger is answered, and that with nothing."""

HEAD: Final = """\
Who may call each method and see each view. A stranger, who has no identity, gets no further than the
connection, but for /ping, which answers it {}. Written by: python -m tests.integration.apps.roletable
"""


class Registries(NamedTuple):
    """What nodes answer: methods by where they are called, and the services with the views."""

    methods: dict[str, MethodRegistry]
    services: dict[str, JSONService]


def _endpoint() -> Any:
    return SimpleNamespace(methods=MethodRegistry(), receive_into=lambda _new_block: None)


def _of_slave(manager: Any) -> MethodRegistry:
    endpoint = _endpoint()
    manager.__new__(manager).register_methods(endpoint)
    follow_revoked(endpoint, Trust())
    tell_log(endpoint, LogRing())
    return endpoint.methods  # type: ignore[no-any-return]


def _of_application() -> MethodRegistry:
    endpoint = _endpoint()
    client = ClusterClient(None, "application", on_outcomes=print, news=TaskNews(print, print, print))  # type: ignore[arg-type]
    client._register_methods(endpoint)
    follow_revoked(endpoint, Trust())
    return endpoint.methods  # type: ignore[no-any-return]


def _of_host() -> MethodRegistry:
    endpoint = _endpoint()
    _Run(None, None).register_methods(endpoint, None)  # type: ignore[arg-type]
    return endpoint.methods  # type: ignore[no-any-return]


class _Idle(ApplicationNode):
    """Has no work."""


@contextmanager
def registries() -> Iterator[Registries]:
    """Return those of a master with a journal, a slave and an application that run."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        options = {"master.port": "0", "journal.folder": folder, "logging.level": "error"}
        master = Environment(overrides=options, variables={})[MasterNode]
        master.start()
        stack.callback(master.stop)
        address = {"slave.master": master.api_service_v1.address, "slave.workers": "1"}
        slave = Environment(overrides={**address, "logging.level": "error"}, variables={})[SlaveNode]
        slave.start()
        stack.callback(slave.stop)
        own = {"application.master": master.api_service_v1.address, "logging.level": "error"}
        env = Environment(overrides=own, variables={})
        env.register(_Idle)
        application = env[_Idle]
        application.start()
        stack.callback(application.stop)
        assert master.wait_slave(30)
        services = {
            "master JSON": master.api_service_v1,
            "slave JSON": slave.api_service_v1,
            "application JSON": application.api_service_v1,
        }
        methods = {where: service.methods for where, service in services.items()}
        yield Registries(
            {
                **methods,
                "master": master.compute_server.methods,
                "slave": _of_slave(GenericTaskManager),
                "pulling slave": _of_slave(ZMQTaskManager),
                "application": _of_application(),
                "host of a task system": _of_host(),
            },
            services,
        )


def table(of: Registries) -> str:
    """Return the table."""
    rows = [
        (where, method.name, *(("yes" if role in method.roles else "-") for role in ROLES), "-")
        for where, methods in of.methods.items()
        for method in sorted(methods, key=lambda one: one.name)
    ]
    for where, service in of.services.items():
        for path, roles in sorted(service.roles_by_view.items()):
            stranger = "{}" if path == OPEN_TO_ALL else "-"
            rows.append((where, path, *(("yes" if role in roles else "-") for role in ROLES), stranger))
    head = ("where", "what", *ROLES, "stranger")
    lines = ["  ".join(f"{text:{width}}" for text, width in zip(row, _widths([head, *rows]), strict=True))
             for row in [head, *sorted(set(rows), key=rows.index)]]  # fmt: skip
    return f"{HEAD}\n" + "".join(f"{line.rstrip()}\n" for line in lines)


def _widths(rows: list[tuple[str, ...]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def main() -> None:
    """Write the table; the keys of its master are made in a folder that is removed."""
    with TemporaryDirectory() as keys, TemporaryDirectory() as places:
        os.environ.update(XDG_CONFIG_HOME=keys, XDG_RUNTIME_DIR=places)
        with registries() as found:
            FILE.write_text(table(found), encoding="utf-8")


if __name__ == "__main__":
    main()
