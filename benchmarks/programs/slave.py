"""A slave that ends with the program that started it; the first argument is the process id of that."""

from __future__ import annotations

import sys

from concurrent.apps.main import main
from concurrent.scheduling.processes.descendants import die_with_parent

__all__: list[str] = []

if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    sys.exit(main(["slave", *sys.argv[2:]]))
