"""A script whose calls are tried again, or must end in time: started again it goes on with them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from concurrent.apps import ClusterExecutor
from concurrent.scheduling import Retry, TaskTimeout


def note(folder: str, what: str) -> int:
    """Take down a run; return how many there were."""
    notes = Path(folder, what)
    with notes.open("a", encoding="utf-8") as file:
        file.write(f"{time.time()}\n")
    return len(notes.read_text(encoding="utf-8").splitlines())


def flaky(folder: str) -> int:
    """Fail until the test has made a file."""
    count = note(folder, "flaky")
    if not Path(folder, "go").exists():
        raise ConnectionResetError("not yet")
    return count


def late(folder: str) -> None:
    """Take longer than anybody waits."""
    note(folder, "late")
    time.sleep(600)


def main() -> None:
    """Submit calls with keys, and say how they end."""
    address, folder, deadline_s = sys.argv[1], sys.argv[2], float(sys.argv[3])
    with ClusterExecutor(address, job="waits") as cluster:
        again = cluster.options(retry=Retry(2, on=OSError, delay_s=float(sys.argv[4]), jitter=0.0))
        ends = cluster.options(deadline_s=deadline_s)
        flaky_call = again.submit(flaky, folder, key="flaky")
        late_call = ends.submit(late, folder, key="late")
        print("submitted", flush=True)
        print("runs", flaky_call.result(120))
        try:
            late_call.result(120)
        except TaskTimeout as error:
            print("late:", error.message.partition(" while ")[0])


if __name__ == "__main__":
    main()
