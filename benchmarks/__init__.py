"""Measures Concurrent beside other ways to run tasks: ``python -m benchmarks``; see ``README.md`` here."""
