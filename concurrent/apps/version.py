"""The version of the framework."""

from typing import Final

__all__ = ["PACKAGES", "VERSION", "package_versions"]

VERSION: Final = "0.1.0"
"""The same as in ``pyproject.toml``; a test compares them."""

PACKAGES: Final = ("pyzmq", "web.py", "Cython", "msgpack", "cloudpickle", "configobj", "cryptography")
"""Whose versions are shown besides."""


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that the framework uses; empty for those that are missing."""
    from importlib.metadata import PackageNotFoundError, version  # nobody else needs it

    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = ""
    return found
