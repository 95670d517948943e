"""Fixtures: a browser, a cluster that the tests of a module share, and a person who looks at its pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from concurrent.apps import LocalCluster
from tests.browser.viewing import BROWSER, DRIVER, Chrome, Person, open_browser
from tests.system.cluster import Gate

TIMEOUT_S = 30.0


@pytest.fixture(scope="session")
def _has_browser() -> None:
    if BROWSER is None or DRIVER is None:
        pytest.skip("there is no browser to see pages with: apt-get install chromium chromium-driver")


@pytest.fixture(scope="module")
def browser(_has_browser: None) -> Iterator[Chrome]:
    with open_browser() as made:
        yield made


@pytest.fixture(scope="module")
def cluster(_has_browser: None) -> Iterator[LocalCluster]:
    with LocalCluster(workers=2, own_modules=["tests"]) as made:
        made.submit(pow, 2, 2).result(TIMEOUT_S)
        yield made


@pytest.fixture
def person(browser: Chrome, cluster: LocalCluster) -> Iterator[Person]:
    made = Person(browser, cluster.address)
    made.log_in()
    yield made
    made.show_at_desk()
    assert made.complaints() == []


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open()
