"""Which names lead to a node, and from which site a request comes. A pure module.

Names are compared whole. A browser tells the truth in ``Host``, ``Origin`` and ``Sec-Fetch-Site``, whatever a
page wants; programs say what they like, and have no cookie that a page could misuse.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Final

from concurrent.transport.security.hosts import is_loopback

__all__ = ["is_from_elsewhere", "is_navigation", "is_own_name", "name_in"]

_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]/?#@\s]+)(?::[0-9]{1,5})?", re.IGNORECASE)

OWN_SITES: Final = ("same-origin", "none")
"""What ``Sec-Fetch-Site`` says of a request of one of our pages, and of one that a person has typed."""


def name_in(header: str) -> str | None:
    """Return the name or address in a ``Host``, without its port and in lower case; None if it is none."""
    match = _HOST.fullmatch(header)
    return match[1].strip("[]").lower() if match else None


def is_own_name(header: str, names: Container[str]) -> bool:
    """Tell whether a ``Host`` is one by which a node may be reached: that of loopback, or one of ``names``."""
    name = name_in(header)
    return name is not None and (name in names or is_loopback(name))


def is_from_elsewhere(headers: Mapping[str, str], *, is_encrypted: bool, must_say: bool) -> bool:
    """Tell whether a page of another site makes a request.

    :param headers: ``Host``, ``Origin`` and ``Sec-Fetch-Site`` as far as they were sent.
    :param is_encrypted: whether it came through TLS.
    :param must_say: whether one that says neither counts as one from elsewhere.
    """
    origin, site = headers.get("Origin"), headers.get("Sec-Fetch-Site")
    if origin is None and site is None:
        return must_say
    if site is not None and site not in OWN_SITES:
        return True
    if origin is None:
        return False
    schemes = ("https",) if is_encrypted else ("http", "https")  # a proxy may have encrypted what came to it
    return origin.lower() not in [f"{scheme}://{headers.get('Host', '')}".lower() for scheme in schemes]


def is_navigation(headers: Mapping[str, str]) -> bool:
    """Tell whether a browser shows the answer as a page of its own, as when somebody has followed a link."""
    return headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
