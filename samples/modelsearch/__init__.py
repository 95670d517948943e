"""The sample for scikit-learn: a search for the parameters of a model; ``app`` holds the application."""

__all__: list[str] = []
