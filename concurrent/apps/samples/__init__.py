"""The sample applications.

An installed Concurrent has them here. In a checkout they stand in the folder ``samples/`` at its top,
which is therefore appended to the search path of this package.
"""

from pathlib import Path

__all__: list[str] = []

_CHECKOUT = Path(__file__).resolve().parents[3]
if (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "samples").is_dir():
    __path__.append(str(_CHECKOUT / "samples"))
