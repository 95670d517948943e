"""Compiled twins of a few pure functions; a leaf that imports nothing else of Concurrent.

``_name`` is compiled from ``_name.pyx`` where Cython and a C compiler were there at installation, and
``name_py`` does the same in pure Python; their user tries the first and falls back on the second. An
installed Concurrent has both here. In a checkout they stand in the folder ``native/`` at its top,
which is therefore appended to the search path of this package.
"""

from pathlib import Path

__all__: list[str] = []

_CHECKOUT = Path(__file__).resolve().parents[3]
if (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "native").is_dir():
    __path__.append(str(_CHECKOUT / "native"))
