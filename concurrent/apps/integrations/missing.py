"""Says what to install when the library that an integration is for is not there."""

from __future__ import annotations

__all__ = ["not_installed"]


def not_installed(library: str, error: ImportError) -> ImportError:
    """Return the error to raise instead of one that the import of a library has raised.

    :param library: its name, which is that of the extra that installs it too.
    """
    return ImportError(
        f"concurrent.apps.integrations.{library} needs {library}, which cannot be imported: {error}. "
        f'Install it with: pip install "concurrent-framework[{library}]"',
        name=error.name,
    )
