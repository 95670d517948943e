"""Each method answers each role as the table says, and the table is checked in."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.core.errors import InvalidArguments, NotAllowed
from concurrent.transport.calls.methods import Method, MethodRegistry
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import DEFAULT_ROLES, Role
from tests.integration.apps.roletable import FILE, ROLES, Registries, registries, table

EVERYBODY = (*ROLES, None)
"""All roles, and none."""

LINES = [line.split() for line in FILE.read_text(encoding="utf-8").splitlines()[3:]]
ALLOWED = {(*line[:-7], line[-7]): line[-6:] for line in LINES[1:]}
"""What the file says, by where and what."""


@pytest.fixture
def found() -> Iterator[Registries]:
    with registries() as made:
        yield made


def test_the_table_is_what_nodes_have(found: Registries) -> None:
    remedy = "read what differs; if it is meant, run python -m tests.integration.apps.roletable"
    assert table(found) == FILE.read_text(encoding="utf-8"), remedy


def answer(methods: MethodRegistry, method: Method, role: Role | None) -> type[BaseException]:
    """Return the error with which a role is answered that calls a method with what it does not take."""
    peer: Any = SimpleNamespace(identity=Identity(role, "somebody", "office"))  # type: ignore[arg-type]
    with pytest.raises((NotAllowed, InvalidArguments)) as caught:
        methods.dispatch(method.name, (peer, peer), [], {"no such argument": 1})
    return caught.type


def test_each_method_answers_each_role_as_the_table_says(found: Registries) -> None:
    count = 0
    for where, methods in found.methods.items():
        methods.on_refused = None
        for method in methods:
            says = ALLOWED[(*where.split(), method.name)]
            got = [answer(methods, method, role) is InvalidArguments for role in EVERYBODY]
            assert got == [cell == "yes" for cell in says], f"{where}: {method.name}"
            count += 1
    assert count > 50


def test_nothing_is_for_strangers_but_that_a_node_lives() -> None:
    assert {key[-1] for key, says in ALLOWED.items() if says[-1] != "-"} == {"/ping"}
    assert all(says[ROLES.index(role)] == "yes" for says in ALLOWED.values() for role in DEFAULT_ROLES)


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        (
            Role.OBSERVE,
            {"push_tasks", "done", "job", "output", "cancel_job", "register_slave", "run"},
        ),
        (Role.SUBMIT, {"done", "took", "pull", "register_slave", "run", "join_system", "revoked"}),
        (Role.SLAVE, {"push_tasks", "attach_job", "define_code", "jobs", "register_application", "/status"}),
    ],
)
def test_a_role_is_refused_what_would_give_it_another_one(role: Role, refused: set[str]) -> None:
    place = ROLES.index(role)
    for what in refused:
        rows = [says for key, says in ALLOWED.items() if key[-1] == what]
        assert rows
        assert all(says[place] == "-" for says in rows), what
