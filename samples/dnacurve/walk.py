"""Chooses the kernel: the compiled one where it was built at installation, otherwise its pure Python twin."""

try:
    from ._walk import bends, placed, walked

    KERNEL = "cython"
except ImportError:
    from .walk_py import bends, placed, walked

    KERNEL = "python"

__all__ = ["KERNEL", "bends", "placed", "walked"]
