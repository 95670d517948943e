"""Strangers at every port of a master that is at work: ``python -m benchmarks.hostile``.

A master, a slave and a program on machines of their own compute, while others who have no key connect and say
nothing, drip, drop connections, send garbage, huge or halved handshakes, requests without a token and wrong
secrets to join. Tasks have to keep most of their speed and ``GET /ping`` its latency, and afterwards the master
must have neither more memory nor more open files than before.
"""

from __future__ import annotations

__all__: list[str] = []
