"""The command ``concurrent``, which takes down in the file ``unpickled.txt`` what its process unpickles."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any

from concurrent.apps.main import main

PID = os.getpid()
FOUND = Path("unpickled.txt")


def note(event: str, args: tuple[Any, ...]) -> None:
    """Take down the global names that a pickle has; children have the hook too, and may unpickle."""
    if event == "pickle.find_class" and os.getpid() == PID:
        with FOUND.open("a") as file:
            file.write(f"{args}\n")


if __name__ == "__main__":
    sys.addaudithook(note)
    pickle.loads(pickle.dumps(Path("shows that the hook is at work")))
    sys.exit(main())
