"""The DNA sample: the bend of a DNA helix, in ten thousand small tasks; ``app`` holds the application."""

__all__: list[str] = []
