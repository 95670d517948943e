"""The driver: ``python -m benchmarks [NAME ...]``; see ``README.md`` beside this file."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cases import CASES, CASES_OF_PEERS
from benchmarks.measure import Row
from benchmarks.options import Options, make_parser
from benchmarks.peers import is_installed
from benchmarks.report import document, table, targets_table
from benchmarks.runner import CaseFailed, run_apart

__all__ = ["main"]

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases and print what they measured; returns 1 if one could not be run.

    A target that is missed is no failure: it depends on the machine. Nor is a peer that fails.

    :param arguments: those of the program if None.
    """
    parser = make_parser(list(CASES))
    args = parser.parse_args(arguments)
    unknown = [name for name in args.names if name not in CASES]
    if unknown:
        parser.error(f"there is no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    options = Options.from_arguments(args)
    for peer in options.peers:
        if not is_installed(peer):
            print(f"{peer} is not installed and is left out", file=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started_at = time.time()
    rows: list[Row] = []
    failures: list[dict[str, str]] = []
    try:
        for name in args.names or CASES:
            _run(name, options, rows, failures)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    _conclude(rows, failures)
    if args.json:
        everything = document(options, rows, failures, started_at)
        Path(args.json).write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
    return EXIT_FAILED if any(not failure["peer"] for failure in failures) else EXIT_OK


def _run(name: str, options: Options, rows: list[Row], failures: list[dict[str, str]]) -> None:
    """Run one case, then with each peer, and print its rows."""
    start = time.monotonic()
    print(f"==> {name}", flush=True)
    peers = [each for each in options.peers if name in CASES_OF_PEERS and is_installed(each)]
    found: list[Row] = []
    for peer in ("", *peers):
        try:
            found += run_apart(name, options.for_peer(peer))
        except CaseFailed as error:
            found += error.rows
            failures.append({"case": name, "peer": peer, "error": str(error)})
            print(_in_words(failures[-1]), flush=True)
    rows += found
    print(f"{table(found)}\n({time.monotonic() - start:.0f} s)\n", flush=True)


def _conclude(rows: list[Row], failures: list[dict[str, str]]) -> None:
    """Print everything once more, and which targets are met."""
    print(f"==> all\n{table(rows)}\n\n==> targets\n{targets_table(rows)}\n")
    aimed = [row for row in rows if row.is_met is not None]
    print(f"{sum(bool(row.is_met) for row in aimed)} of {len(aimed)} targets met")
    for failure in failures:
        print(_in_words(failure))


def _in_words(failure: dict[str, str]) -> str:
    of_peer = f" of {failure['peer']}" if failure["peer"] else ""
    return f"{failure['case']}{of_peer} failed: {failure['error']}"


if __name__ == "__main__":
    sys.exit(main())
