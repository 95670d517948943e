PYTHON ?= python3

.PHONY: demo test bench site clean

# Draw the Mandelbrot set on an embedded cluster.
demo:
	$(PYTHON) dev.py demo

# Every check, in a new environment.
test:
	$(PYTHON) dev.py test

# Throughput, latency, memory and more, beside the pools of the standard library.
bench:
	$(PYTHON) dev.py bench

# The documentation as a site, in build/site.
site:
	$(PYTHON) dev.py site

clean:
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
