"""The benchmark sample: what a cluster gains with more workers; ``app`` holds the application."""

__all__: list[str] = []
