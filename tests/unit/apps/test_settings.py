"""What nodes use where nothing is configured."""

from __future__ import annotations

import pytest

from concurrent.apps.api import PORT_DEFAULT, parse_address
from concurrent.apps.transportsettings import TransportSettings
from concurrent.core import Environment
from concurrent.core.errors import ConfigurationError
from concurrent.transport import Limits


def test_nodes_and_the_transport_have_the_same_defaults() -> None:
    assert Environment(variables={})[TransportSettings].limits() == Limits()


def test_an_address_without_a_port_is_that_of_a_master() -> None:
    assert parse_address("somewhere", "--master") == ("somewhere", PORT_DEFAULT)
    assert parse_address("[::1]:9", "--master") == ("::1", 9)


def test_what_is_no_address_is_named_with_where_it_stands() -> None:
    with pytest.raises(ConfigurationError, match=r"--master = 'a:b:c' is not an address. Write HOST:PORT"):
        parse_address("a:b:c", "--master")
