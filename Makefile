PYTHON ?= python3

.PHONY: demo test clean

# Draw the Mandelbrot set on an embedded cluster.
demo:
	$(PYTHON) dev.py demo

# Every check, in a new environment.
test:
	$(PYTHON) dev.py test

clean:
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
