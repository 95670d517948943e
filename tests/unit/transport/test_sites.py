"""Names of hosts and origins, compared whole."""

from __future__ import annotations

import pytest

from concurrent.transport.web.sites import is_from_elsewhere, is_navigation, is_own_name, name_in

NAMES = {"node.example", "10.1.2.3", "fd00::1"}


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "localhost:8750", "127.0.0.1", "127.0.0.1:1", "127.8.8.8", "[::1]",
        "[::1]:80",
        "node.example", "Node.Example:8750", "10.1.2.3", "10.1.2.3:8750", "[fd00::1]:8750", "[FD00::1]",
    ],
)  # fmt: skip
def test_own_names_are_known_with_and_without_a_port_in_any_case(host: str) -> None:
    assert is_own_name(host, NAMES)


@pytest.mark.parametrize(
    "host",
    [
        "", ":", ":8750", "evil.example", "127.0.0.1.evil", "evil127.0.0.1", "127.0.0.1evil", "[::1].evil",
        "[::1]evil", "evil[::1]", "[::1", "::1]", "::1", "localhost.evil", "evil.localhost", "localhost.",
        "127.0.0.1.", "node.example.", "node.example.evil", "evilnode.example", "evil.node.example",
        "node.exampl", "node.example:8750:1", "node.example:", "node.example:x", "node.example:123456",
        "10.1.2.30", "110.1.2.3",
        "user@node.example", "node.example@evil", "node.example/evil", "node.example#evil", "node.example?evil",
        "node.example,evil", "node.example evil", " node.example", "node.example ", "127.1", "2130706433",
        "0x7f.0.0.1", "0.0.0.0", "[::]", "[fd00::1]evil:80", "[::ffff:7f00:1]", "node\u0131.example",
    ],
)  # fmt: skip
def test_no_other_name_is(host: str) -> None:
    assert not is_own_name(host, NAMES)


def test_an_address_in_brackets_is_that_address_only() -> None:
    assert name_in("[fd00::1]:99") == "fd00::1"
    assert name_in("[node.example]") is None


def is_elsewhere(*, is_encrypted: bool = False, must_say: bool = True, **headers: str) -> bool:
    by_name = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return is_from_elsewhere(
        {"Host": "localhost:8750", **by_name}, is_encrypted=is_encrypted, must_say=must_say
    )


@pytest.mark.parametrize(
    "site", [None, "same-origin", "none", "same-site", "cross-site", "", "SAME-ORIGIN", "nonsense"]
)
@pytest.mark.parametrize(
    "origin",
    [
        None, "http://localhost:8750", "http://LOCALHOST:8750", "https://localhost:8750", "http://localhost",
        "http://localhost:87500", "http://localhost:875", "http://localhost:8750.evil", "http://evil.localhost:8750",
        "http://localhost:8750/", "http://127.0.0.1:8750", "http://evil.example", "null", "", "localhost:8750",
        "ftp://localhost:8750", "http://localhost:8750 http://evil.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("must_say", [True, False])
def test_only_what_is_said_to_come_from_here_does(site: str | None, origin: str | None, must_say: bool) -> None:
    headers = {
        name: value for name, value in (("sec_fetch_site", site), ("origin", origin)) if value is not None
    }
    is_ours = (
        site in (None, "same-origin", "none")
        and (origin is None or origin.lower() in ("http://localhost:8750", "https://localhost:8750"))
        and (site is not None or origin is not None or not must_say)
    )
    assert is_elsewhere(must_say=must_say, **headers) is not is_ours


def test_a_page_without_encryption_is_another_site_than_one_with_it() -> None:
    assert is_elsewhere(origin="http://localhost:8750", is_encrypted=True)
    assert not is_elsewhere(origin="https://localhost:8750", is_encrypted=True)


def test_a_link_that_is_followed_is_a_navigation_and_what_a_page_embeds_is_none() -> None:
    assert is_navigation({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
    for mode, kind in (
        ("navigate", "iframe"),
        ("no-cors", "image"),
        ("cors", "empty"),
        ("no-cors", "document"),
    ):
        assert not is_navigation({"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": kind})
    assert not is_navigation({})
