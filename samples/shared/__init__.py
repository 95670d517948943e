"""What the samples share: ``amdahl`` says what a speed-up means. No sample itself: it has no ``app``."""

__all__: list[str] = []
