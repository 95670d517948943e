"""Chooses the kernel: the compiled one where it was built at installation, otherwise its pure Python twin."""

try:
    from ._kernel import digest_of, search

    KERNEL = "cython"
except ImportError:
    from .kernel_py import digest_of, search

    KERNEL = "python"

__all__ = ["KERNEL", "digest_of", "search"]
