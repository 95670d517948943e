"""Two applications share a cluster; one spoils its workers. Prints what the other one finds wrong."""

import os
import statistics
import sys
import threading

from concurrent.apps import ClusterExecutor


def spoil(_):
    statistics.mean = lambda _values: 42
    os.chdir("/proc")
    os.environ["POISON"] = "yes"
    sys.path.insert(0, "poison")
    threading.Thread(target=threading.Event().wait, name="poison", daemon=True).start()
    return os.getpid()


def look(_):
    threads = [thread.name for thread in threading.enumerate()]
    return (
        os.getpid(),
        statistics.mean([1, 2, 3]) == 2
        and os.getcwd() != "/proc"
        and "POISON" not in os.environ
        and "poison" not in sys.path
        and "poison" not in threads,
    )


def main() -> None:
    wrong = 0
    address = sys.argv[1]
    with ClusterExecutor(address) as first, ClusterExecutor(address) as second:
        for _ in range(5):  # by turns
            spoiled = set(first.map(spoil, range(8)))
            found = list(second.map(look, range(8)))
            wrong += sum(not is_right or pid in spoiled for pid, is_right in found)
        both = [executor.submit(look, 0) for executor in (first, second) for _ in range(20)]
        wrong += sum(not future.result()[1] for future in both[20:])
        wrong += sum(future.result()[1] for future in both[:20]) == 20
    with ClusterExecutor(address) as third:
        wrong += sum(not is_right for _, is_right in third.map(look, range(8)))
    print(wrong, "wrong")


if __name__ == "__main__":
    main()
