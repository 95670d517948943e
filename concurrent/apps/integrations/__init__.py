"""What other libraries need to run on a cluster, where it is not enough to give them an executor.

============= ==========================================================================
``joblib``    a backend of joblib, and so of scikit-learn; importing it registers that
``dask``      has graphs of Dask computed on a cluster within a ``with`` block
============= ==========================================================================

Each is imported by its user, after its library is installed; nothing else of the framework imports one. They
use the public names of executors only, and run in the program and, as far as tasks need them, in workers.
"""

from __future__ import annotations

__all__: list[str] = []
