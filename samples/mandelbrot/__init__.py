"""The Mandelbrot sample: one picture, computed four ways; ``app`` holds the application."""

__all__: list[str] = []
