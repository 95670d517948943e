"""The Monte Carlo sample: how much gets through a shield; ``app`` holds the application."""

__all__: list[str] = []
