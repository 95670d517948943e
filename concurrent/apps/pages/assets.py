"""The scripts and styles of pages, as they lie beside this module. Any thread of the JSON API."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import Final

from concurrent.transport.web.contents import ASSETS_PATH, Asset

__all__ = ["asset", "assets_folder"]

TYPES: Final = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}


def assets_folder() -> str:
    """Return the path of the folder of assets, which is another one when any of them changes."""
    digest = hashlib.sha256(b"".join(body for _, body in sorted(_bodies().items()))).hexdigest()
    return f"{ASSETS_PATH}{digest[:12]}/"


def asset(name: str) -> Asset | None:
    """Return what is at a path below that of assets; None if there is nothing."""
    folder, _, file = name.rpartition("/")
    body = _bodies().get(file)
    if body is None:
        return None
    return Asset(body, TYPES[file.rpartition(".")[2]], is_kept=f"{ASSETS_PATH}{folder}/" == assets_folder())


@cache
def _bodies() -> dict[str, bytes]:
    files = resources.files(__package__).joinpath("assets").iterdir()
    return {one.name: one.read_bytes() for one in files if one.name.rpartition(".")[2] in TYPES}
