"""The sample of a batch with faulty inputs: thumbnails of a folder of images; ``app`` holds the application."""

__all__: list[str] = []
