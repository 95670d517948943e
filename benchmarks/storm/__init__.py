"""A storm of kills over a durable cluster, and what is left of its work: ``python -m benchmarks.storm``.

A master with a journal, two slaves, an executor with a job, an application and a task system work on and on,
while their processes are killed at random instants and started again, as a supervisor would. Of each job every
outcome has to come, be right, and come once to each process that lives to take it; nothing may be left
running, the journal must be whole, and no log have a traceback.
"""

from __future__ import annotations

__all__: list[str] = []
