"""Each message between nodes is taken by the nodes that it is declared for, and by no others."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.apps import messages as joining
from concurrent.apps.client import ClusterClient
from concurrent.apps.joining import register_joining
from concurrent.apps.master import MasterNode
from concurrent.apps.masterapi import MasterAPI
from concurrent.apps.revoked import follow_revoked
from concurrent.apps.slavelog import tell_log
from concurrent.core.logring import LogRing
from concurrent.scheduling.owner.news import TaskNews
from concurrent.scheduling.owner.systemhost import _Run
from concurrent.scheduling.slave.pullingmanager import ZMQTaskManager
from concurrent.scheduling.slave.taskmanager import GenericTaskManager
from concurrent.scheduling.wire.messages import to_master, to_owner, to_slave, to_system
from concurrent.scheduling.wire.messages.directions import APPLICATION, MASTER, SLAVE, SYSTEM
from concurrent.transport.calls.arguments import checks_of
from concurrent.transport.calls.declaration import Message
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.security.trust import Trust

UNUSED: Any = None
MESSAGES = [
    message
    for module in (joining, to_master, to_owner, to_slave, to_system)
    for message in vars(module).values()
    if isinstance(message, Message)
]


def new_endpoint() -> Any:
    return SimpleNamespace(methods=MethodRegistry(), receive_into=lambda _new_block: None)


def master() -> MethodRegistry:
    endpoint = new_endpoint()
    dispatcher: Any = SimpleNamespace(slaves=UNUSED, news=UNUSED, observatory=UNUSED, fits=UNUSED)
    api = MasterAPI(UNUSED, dispatcher, UNUSED, neighbours=UNUSED, alike_max=1, may_host=UNUSED)
    api.register_methods(endpoint)
    node = MasterNode.__new__(MasterNode)
    node.compute_server = endpoint
    node.api_service_v1 = new_endpoint()
    register_joining(node)
    return endpoint.methods


def application() -> MethodRegistry:
    endpoint = new_endpoint()
    client = ClusterClient(UNUSED, "application", on_outcomes=UNUSED, news=TaskNews(list, list, list))
    client._register_methods(endpoint)
    follow_revoked(endpoint, Trust())
    return endpoint.methods


def system() -> MethodRegistry:
    endpoint = new_endpoint()
    _Run(UNUSED, UNUSED).register_methods(endpoint, UNUSED)
    return endpoint.methods


def slave() -> MethodRegistry:
    endpoint = new_endpoint()
    GenericTaskManager.__new__(GenericTaskManager).register_methods(endpoint)
    follow_revoked(endpoint, Trust())
    tell_log(endpoint, LogRing())
    return endpoint.methods


def pulling_slave() -> MethodRegistry:
    endpoint = new_endpoint()
    ZMQTaskManager.__new__(ZMQTaskManager).register_methods(endpoint)
    follow_revoked(endpoint, Trust())
    tell_log(endpoint, LogRing())
    return endpoint.methods


@pytest.mark.parametrize(
    ("kind", "registered"),
    [
        (MASTER, master),
        (APPLICATION, application),
        (SYSTEM, system),
        (SLAVE, slave),
        (SLAVE, pulling_slave),
    ],
)
def test_a_node_takes_just_the_messages_that_are_for_it(kind: str, registered: Any) -> None:
    taken = {method.message for method in registered()}
    assert taken == {message for message in MESSAGES if kind in message.receivers}


def test_messages_to_one_kind_of_node_have_names_of_their_own() -> None:
    for kind in (MASTER, APPLICATION, SYSTEM, SLAVE):
        names = [message.name for message in MESSAGES if kind in message.receivers]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
def test_a_message_says_what_it_is_for_and_each_field_is_checked(message: Message) -> None:
    assert inspect.getdoc(message.function)
    assert list(checks_of(message.function, message.signature)) == list(message.signature.parameters)


@pytest.mark.parametrize("kind", [APPLICATION, SYSTEM, SLAVE])
def test_nodes_talk_to_the_master_only(kind: str) -> None:
    for message in MESSAGES:
        if kind in message.senders:
            assert message.receivers == {MASTER}
        if kind in message.receivers:
            assert message.senders == {MASTER}
