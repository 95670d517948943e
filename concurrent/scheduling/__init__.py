"""What should happen: tasks, ledger, strategies, journal and workers."""
