"""Who may import whom: apps, scheduling, transport, core, from top to bottom."""

from __future__ import annotations

import ast
import re

import pytest

from tests.style.source import ROOT, Source, all_sources, shipped_sources

ROOMS = ("core", "transport", "scheduling", "apps")  # each may import those before it
NATIVE = "concurrent.core.native"
OPEN_TO_SAMPLES = ("concurrent.core", "concurrent.scheduling", "concurrent.apps")
IMPURE = {
    "asyncio", "concurrent.futures", "http", "multiprocessing", "os", "random", "select", "signal",
    "socket", "subprocess", "threading", "time", "web", "zmq",
}  # fmt: skip

# Modules that must be pure although their docstring does not use the word.
PURE = {
    "concurrent.scheduling.events",
    "concurrent.scheduling.ledger",
    "concurrent.transport.messages",
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
        "from concurrent.scheduling.task import Task",
        "def late():\n    from ..scheduling import task",
    ],
)
def test_an_import_of_a_room_above_is_found(text: str) -> None:
    assert len(upward_imports(Source("concurrent/transport/bad.py", text))) == 1


def test_an_import_of_a_room_below_is_allowed() -> None:
    assert upward_imports(Source("concurrent/apps/good.py", "from ..core import ids")) == []


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


def plain_dependencies(source: Source) -> list[str]:
    """Return imports of dependencies that a module of the program could get in the way of."""
    names = {"web", "zmq", "msgpack", "configobj", "cheroot", "cloudpickle"}
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
