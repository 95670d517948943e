"""Chooses the kernel: the compiled one where it was built at installation, otherwise its pure Python twin."""

try:
    from ._kernel import count_points, smooth_count

    KERNEL = "cython"
except ImportError:
    from .kernel_py import count_points, smooth_count

    KERNEL = "python"

__all__ = ["KERNEL", "count_points", "smooth_count"]
