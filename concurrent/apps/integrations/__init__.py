"""What other libraries need to run on a cluster, where it is not enough to give them an executor.

============= ==========================================================================
``joblib``    a backend of joblib, and so of scikit-learn; importing it registers that
``dask``      has graphs of Dask computed on a cluster within a ``with`` block
============= ==========================================================================

Each is imported by its user, after its library is installed; nothing else of the framework imports one. They
run in the program and, as far as tasks need them, in workers. They use executors as anybody does, but for what
``clusters.py`` and ``largearguments.py`` have to know: whether there is a job, and the code that travels.
"""

from __future__ import annotations

__all__: list[str] = []
