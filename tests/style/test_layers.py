"""Who may import whom: the floors from top to bottom, and the rooms of two of them."""

from __future__ import annotations

import ast
import re

import pytest

from tests.style.source import ROOT, Source, all_sources, shipped_sources

ROOMS = ("core", "transport", "scheduling", "apps")  # each may import those before it
NATIVE = "concurrent.core.native"
OPEN_TO_SAMPLES = ("concurrent.core", "concurrent.scheduling", "concurrent.apps")
ARROWS = {
    "transport.loop": (),
    "transport.frames": (),
    "transport.security": (),
    "transport.session": ("transport.frames",),
    "transport.calls": (
        "transport.session", "transport.frames", "transport.loop", "transport.security",
    ),
    "transport.carriers": (
        "transport.calls", "transport.session", "transport.frames", "transport.loop",
        "transport.security",
    ),
    "transport.web": ("transport.calls", "transport.session", "transport.loop", "transport.security"),
    "scheduling.tasks": (),
    "scheduling.ledger": ("scheduling.tasks",),
    "scheduling.schedulers": (
        "scheduling.ledger", "scheduling.interfaces", "scheduling.tasks", "scheduling.wire",
    ),
    "scheduling.telemetry": ("scheduling.tasks",),
    "scheduling.wire": (
        "scheduling.tasks", "transport.calls", "transport.frames", "transport.loop", "transport.security",
    ),
    "scheduling.store": (
        "scheduling.ledger", "scheduling.interfaces", "scheduling.tasks", "transport.frames", "transport.loop",
    ),
    "scheduling.projects": ("scheduling.wire",),
    "scheduling.pickling": (
        "scheduling.projects", "scheduling.wire", "scheduling.interfaces", "transport.frames",
    ),
    "scheduling.processes": ("transport.loop",),
    "scheduling.worker": (
        "scheduling.pickling", "scheduling.processes", "scheduling.tasks", "scheduling.wire",
        "transport.frames",
    ),
    "scheduling.slave": (
        "scheduling.worker", "scheduling.processes", "scheduling.projects", "scheduling.tasks",
        "scheduling.wire", "scheduling.interfaces", "transport",
    ),
    "scheduling.owner": ("scheduling.pickling", "scheduling.tasks", "scheduling.wire", "transport"),
    "scheduling.master": (
        "scheduling.schedulers", "scheduling.ledger", "scheduling.store", "scheduling.wire",
        "scheduling.processes", "scheduling.tasks", "scheduling.telemetry", "scheduling.interfaces",
        "transport",
    ),
}  # fmt: skip
"""What each room may import of the two floors that have rooms."""

PUBLIC_PATHS = {"scheduling.interfaces", "scheduling.events", "scheduling.records", "scheduling.generic"}
"""Modules beside the rooms: what plug-ins import."""

IMPURE = {
    "asyncio", "concurrent.futures", "http", "multiprocessing", "os", "random", "select", "signal",
    "socket", "subprocess", "threading", "time", "web", "zmq",
}  # fmt: skip

# Modules that must be pure although their docstring does not use the word.
PURE = {
    "concurrent.scheduling.ledger.events",
    "concurrent.scheduling.ledger.ledger",
    "concurrent.transport.session.messages",
}


def room_of(module: str) -> int | None:
    """Return which room of the framework a module is in, counted from the bottom."""
    parts = module.split(".")
    is_ours = len(parts) > 1 and parts[0] == "concurrent" and parts[1] in ROOMS
    return ROOMS.index(parts[1]) if is_ours else None


def upward_imports(source: Source) -> list[str]:
    """Return the imports of a room above one's own."""
    own = room_of(source.module)
    if own is None:
        return []
    problems = []
    for each in source.imports():
        name = f"{each.module}.{each.name}" if each.module == "concurrent" else each.module
        room = room_of(name)
        if room is not None and room > own:
            problems.append(f"{source.path}:{each.line}: {ROOMS[own]} must not import {name}")
    return problems


def place_of(module: str) -> str:
    """Return the room of a module as ``floor.room``; empty where a floor has none, or for a floor itself."""
    parts = module.split(".")
    has_rooms = len(parts) > 2 and parts[0] == "concurrent" and parts[1] in ("transport", "scheduling")
    return ".".join(parts[1:3]) if has_rooms else ""


def forbidden_arrows(source: Source) -> list[str]:
    """Return the imports of rooms that a room must not know; to name a type is no arrow."""
    own = place_of(source.module)
    if own not in ARROWS:
        return []
    problems = []
    for each in source.imports():
        place = place_of(f"{each.module}.{each.name}" if each.module.count(".") < 2 else each.module)
        allowed = (own, *ARROWS[own])
        if place and not each.is_for_types and place not in allowed and place.split(".")[0] not in allowed:
            problems.append(f"{source.path}:{each.line}: {own} must not import {each.module}")
    return problems


def is_pure(source: Source) -> bool:
    """Return whether a module is listed as pure or its docstring says so."""
    doc = ast.get_docstring(source.tree) or ""
    return source.module in PURE or bool(re.search(r"\bpure\b(?! Python)", doc, re.IGNORECASE))


def impure_imports(source: Source) -> list[str]:
    """Return what a pure module must not import, except to name types."""
    return [
        f"{source.path}:{each.line}: a pure module must not import {each.module}"
        for each in source.imports()
        if not each.is_for_types
        and any(each.module == name or each.module.startswith(f"{name}.") for name in IMPURE)
    ]


def private_uses(source: Source, exported_by_module: dict[str, list[str]]) -> list[str]:
    """Return what a sample imports of the framework that a plug-in from outside should not use."""
    own = ".".join(source.module.split(".")[:4])
    problems = []
    for each in source.imports():
        is_own = each.module == own or each.module.startswith(f"{own}.")
        if each.module.partition(".")[0] != "concurrent" or is_own:
            continue
        if each.module == "concurrent.futures":
            continue
        is_open = any(f"{each.module}.".startswith(f"{package}.") for package in OPEN_TO_SAMPLES)
        if not is_open or each.name not in exported_by_module.get(each.module, []):
            what = f"{each.name} of {each.module}" if each.name else each.module
            problems.append(f"{source.path}:{each.line}: {what} is not for plug-ins")
    return problems


def test_imports_point_down_only() -> None:
    found = [problem for source in shipped_sources() for problem in upward_imports(source)]
    assert not found, "\n".join(found)


def test_rooms_import_only_what_they_may_know() -> None:
    found = [problem for source in shipped_sources() for problem in forbidden_arrows(source)]
    assert not found, "\n".join(found)


def test_every_room_is_listed_and_every_module_is_in_one() -> None:
    floors = ("concurrent/transport", "concurrent/scheduling")
    places = {place_of(source.module) for source in shipped_sources() if source.is_below(*floors)} - {""}
    assert places == {*ARROWS, *PUBLIC_PATHS}


@pytest.mark.parametrize("place", ARROWS)
def test_a_room_says_who_runs_it_what_it_owns_and_what_it_may_import(place: str) -> None:
    (init,) = [s for s in shipped_sources() if s.is_package and s.module == f"concurrent.{place}"]
    doc = ast.get_docstring(init.tree) or ""
    assert re.search(r"thread|process|pure", doc)
    assert re.search(r"\bown", doc) or "pure" in doc
    assert re.search(r"\bimports?\b", doc)


def test_pure_modules_touch_no_clock_thread_socket_or_chance() -> None:
    pure = [source for source in shipped_sources() if is_pure(source)]
    found = [problem for source in pure for problem in impure_imports(source)]
    assert not found, "\n".join(found)


def test_modules_listed_as_pure_exist() -> None:
    assert PURE - {source.module for source in all_sources()} == set()


def test_samples_use_what_a_plugin_from_outside_may_use() -> None:
    exported_by_module = {source.module: source.exported() or [] for source in shipped_sources()}
    samples = [
        source
        for source in shipped_sources()
        if source.is_below("samples") and not source.path.rpartition("/")[2].startswith("test_")
    ]
    found = [p for source in samples for p in private_uses(source, exported_by_module)]
    assert not found, "\n".join(found)


def test_native_modules_import_nothing_of_the_framework() -> None:
    problems = [
        f"{source.path}:{each.line}: native must not import {each.module}"
        for source in shipped_sources()
        if source.module == NATIVE or source.module.startswith(f"{NATIVE}.")
        for each in source.imports()
        if each.module.partition(".")[0] == "concurrent" and not each.module.startswith(NATIVE)
    ]
    problems += [
        f"{path.relative_to(ROOT)}: native must not import concurrent"
        for path in sorted((ROOT / "native").glob("*.pyx"))
        if re.search(r"^\s*(from|c?import)\s+concurrent\b", path.read_text(encoding="utf-8"), re.M)
    ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    "text",
    [
        "import concurrent.apps.main",
        "from concurrent import apps",
        "from concurrent.scheduling.tasks.task import Task",
        "def late():\n    from ..scheduling import task",
    ],
)
def test_an_import_of_a_room_above_is_found(text: str) -> None:
    assert len(upward_imports(Source("concurrent/transport/bad.py", text))) == 1


def test_an_import_of_a_room_below_is_allowed() -> None:
    assert upward_imports(Source("concurrent/apps/good.py", "from ..core import ids")) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("scheduling/ledger/bad.py", "from concurrent.scheduling.wire.columns import slices"),
        ("scheduling/ledger/bad.py", "import concurrent.transport.frames.frames"),
        ("scheduling/master/bad.py", "from concurrent.scheduling.pickling import code"),
        ("scheduling/processes/bad.py", "from ..tasks.task import Task"),
        (
            "scheduling/worker/bad.py",
            "def late():\n    from concurrent.scheduling.slave.pool import WorkerPool",
        ),
        ("scheduling/slave/bad.py", "from concurrent.scheduling import owner"),
        ("transport/web/bad.py", "from concurrent.transport.carriers.tcpsocket import TCPSocket"),
    ],
)
def test_an_arrow_that_is_not_drawn_is_found(path: str, text: str) -> None:
    assert len(forbidden_arrows(Source(f"concurrent/{path}", text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from concurrent.core.errors import TaskError",
        "from concurrent.scheduling.worker.worker import main",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from concurrent.scheduling import master",
    ],
)
def test_an_arrow_that_is_drawn_is_allowed(text: str) -> None:
    assert forbidden_arrows(Source("concurrent/scheduling/slave/good.py", text)) == []


@pytest.mark.parametrize("text", ["import time", "from os import path", "import zmq.asyncio"])
def test_a_pure_module_that_reaches_outside_is_found(text: str) -> None:
    source = Source("concurrent/core/bad.py", f'"""A pure module."""\n{text}')
    assert is_pure(source)
    assert len(impure_imports(source)) == 1


def test_a_pure_module_may_name_types() -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from random import Random"
    assert impure_imports(Source("concurrent/core/good.py", text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "from concurrent.core import _hidden",
        "from concurrent.transport import TCPServer",
        "import concurrent.core.component",
        "from concurrent.apps.samples.other import thing",
    ],
)
def test_a_sample_that_uses_the_inside_is_found(text: str) -> None:
    source = Source("samples/bad/bad.py", text)
    assert len(private_uses(source, {"concurrent.core": ["Component"]})) == 1


SOCKETS_ELSEWHERE = {
    "concurrent.core.ids": "the name of the machine",
    "concurrent.core.process.identity": "the name of the machine",
    "concurrent.apps.client": "the name of the machine",
    "concurrent.apps.slave": "the name of the machine",
    "concurrent.apps.childnode": "flags",
    "concurrent.scheduling.slave.tokens": "flags",
    "concurrent.scheduling.slave.workerdata": "options",
    "concurrent.scheduling.worker.worker": "flags",
    "concurrent.scheduling.worker.workerwire": "flags",
    "concurrent.scheduling.worker.sharedmemory": "sends and receives descriptors",
    "concurrent.scheduling.processes.zygote": "sends descriptors",
    "concurrent.scheduling.processes.forkserver": "receives descriptors",
    "concurrent.scheduling.processes.entry": "takes over descriptors that its process was started with",
}
"""Which modules outside of ``transport`` need the library of sockets, and what for; none makes any."""

NETWORK = {"socket", "zmq", "ssl", "http", "urllib", "socketserver"}
MAKERS = {"socket", "socketpair", "create_connection", "create_server", "fromfd", "SocketType"}


def sockets_outside_transport(source: Source) -> list[str]:
    """Return where a module that is not of ``transport`` gets at sockets, or makes one."""
    if source.is_below("concurrent/transport") or not source.is_below("concurrent"):
        return []
    problems = [
        f"{source.path}:{each.line}: only transport may import {each.module}"
        for each in source.imports()
        if each.module.partition(".")[0] in NETWORK and not each.is_for_types
        if each.module != "socket" or source.module not in SOCKETS_ELSEWHERE
    ]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MAKERS:
            is_of_library = isinstance(node.func.value, ast.Name) and node.func.value.id == "socket"
            if is_of_library and [each.arg for each in node.keywords] != ["fileno"]:
                problems.append(f"{source.path}:{node.lineno}: only transport makes sockets")
    return problems


def test_sockets_are_made_in_transport_only() -> None:
    found = [problem for source in shipped_sources() for problem in sockets_outside_transport(source)]
    assert not found, "\n".join(found)
    modules = {source.module: source for source in shipped_sources()}
    for module in SOCKETS_ELSEWHERE:
        assert "socket" in {each.module for each in modules[module].imports()}, f"{module} needs none"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("scheduling/master/bad.py", "import socket"),
        ("apps/bad.py", "def late():\n    import zmq"),
        ("apps/bad.py", "from http.client import HTTPConnection"),
        ("apps/slave.py", "import socket\nsocket.create_connection(('far', 1))"),
        ("apps/childnode.py", "import socket\nsocket.socketpair()"),
    ],
)
def test_a_socket_that_is_made_elsewhere_is_found(path: str, text: str) -> None:
    assert len(sockets_outside_transport(Source(f"concurrent/{path}", text))) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("scheduling/processes/entry.py", "import socket\nsocket.socket(fileno=3)"),
        ("apps/good.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from socket import socket"),
        ("transport/carriers/good.py", "import socket\nsocket.socketpair()"),
    ],
)
def test_a_socket_may_be_named_and_taken_over(path: str, text: str) -> None:
    assert sockets_outside_transport(Source(f"concurrent/{path}", text)) == []


def plain_dependencies(source: Source) -> list[str]:
    """Return imports of dependencies that a module of the program could get in the way of."""
    names = {"web", "zmq", "msgpack", "configobj", "cheroot", "cloudpickle", "cryptography"}
    return [
        f"{source.path}:{node.lineno}: import it within installed_first()"
        for node in source.tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        if name.partition(".")[0] in names
    ]


def test_dependencies_are_imported_where_no_module_of_the_program_hides_them() -> None:
    ours = [source for source in shipped_sources() if source.is_below("concurrent")]
    found = [problem for source in ours for problem in plain_dependencies(source)]
    assert not found, "\n".join(found)


def test_a_sample_may_use_public_names_and_its_own_modules() -> None:
    text = "from concurrent.core import Component\nfrom concurrent.apps.samples.good import part"
    source = Source("samples/good/good.py", text)
    assert private_uses(source, {"concurrent.core": ["Component"]}) == []
