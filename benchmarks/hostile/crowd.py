"""A process of strangers: an attack on some ports, which ends when its input does."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from benchmarks.hostile.attacks import ATTACKS

__all__: list[str] = []


def main() -> None:
    """Attack, and print how many connections were made."""
    os.nice(10)  # the processors of this machine are those of the attacked, too
    attack, *ports = sys.argv[1:]
    end = threading.Event()
    with ThreadPoolExecutor(len(ports)) as pool:
        made = [pool.submit(ATTACKS[attack], int(port), end) for port in ports]
        print("begun", flush=True)
        sys.stdin.read()
        end.set()
        print(sum(one.result() for one in made))


if __name__ == "__main__":
    main()
