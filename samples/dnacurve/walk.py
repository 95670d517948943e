"""Chooses the kernel: the compiled one where it was built at installation, otherwise its pure Python twin."""

try:
    from concurrent.apps.samples.dnacurve._walk import bends, placed, walked

    KERNEL = "cython"
except ImportError:
    from concurrent.apps.samples.dnacurve.walk_py import bends, placed, walked

    KERNEL = "python"

__all__ = ["KERNEL", "bends", "placed", "walked"]
