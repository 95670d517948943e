"""The version of the framework."""

from typing import Final

__all__ = ["PACKAGES", "VERSION"]

VERSION: Final = "0.1.0"
"""The same as in ``pyproject.toml``; a test compares them."""

PACKAGES: Final = ("pyzmq", "web.py", "Cython", "msgpack", "cloudpickle", "configobj", "cryptography")
"""Whose versions are shown besides."""
