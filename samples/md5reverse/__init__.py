"""The MD5 sample: finds the number behind a digest by trying; ``app`` holds the application."""

__all__: list[str] = []
