"""A process of strangers: an attack on some ports, which ends when its input does.

Its arguments are the attack, the port that speaks ZeroMQ (0 if none does) and the others.
"""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from benchmarks.hostile.attacks import ATTACKS, Port

__all__: list[str] = []


def main() -> None:
    """Attack, and print how many connections were made."""
    os.nice(10)  # the processors of this machine are those of the attacked, too
    attack, zeromq, *others = sys.argv[1:]
    ports = [Port(int(port)) for port in others]
    if int(zeromq):
        ports.append(Port(int(zeromq), is_zeromq=True))
    end = threading.Event()
    with ThreadPoolExecutor(len(ports)) as pool:
        made = [pool.submit(ATTACKS[attack], port, end) for port in ports]
        print("begun", flush=True)
        sys.stdin.read()
        end.set()
        print(sum(one.result() for one in made))


if __name__ == "__main__":
    main()
