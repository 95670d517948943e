"""Programs of the pages about libraries and pools, on a cluster that was started elsewhere: one line changes.

The pages' own test runs them as they stand, each with a cluster of its own on this machine.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import Block, blocks_of
from tests.system.cluster import Cluster

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
OWN_CLUSTER = "from concurrent.apps import LocalCluster\n"
ELSEWHERE = "from concurrent.apps import ClusterExecutor as LocalCluster\n"
POOLS = {
    "with Pool(2) as": 'with Pool(master="{address}") as',
    "with AsyncCluster(workers=2) as": 'with AsyncCluster(master="{address}") as',
}
WORKERS_OF_EACH = 1
"""Two slaves have as many workers together as the programs ask for that say it."""

PACKAGE = {
    "shop/__init__.py": "",
    "shop/prices.py": "PRICES = {'apple': 2, 'pear': 3}\n",
    "shop/sums.py": "from .prices import PRICES\n\ndef total(names):\n    return sum(map(PRICES.get, names))\n",
    "shop/main.py": OWN_CLUSTER
    + "\nfrom .sums import total\n\nif __name__ == '__main__':\n    with LocalCluster() as cluster:\n"
    + "        print(list(cluster.map(total, [['apple'], ['apple', 'pear']])))\n",
}


def programs() -> Iterator[tuple[str, Block]]:
    """Yield the programs that make a cluster of their own, each with a name."""
    for name in ("integrations", "pool-and-asyncio"):
        for block in blocks_of((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")):
            if block.is_program:
                yield f"{name}-{block.line}", block


PROGRAMS = dict(programs())


def with_one_line_changed(program: str, address: str) -> str:
    """Return a program that uses the cluster of a master in the place of one of its own."""
    changed = program.replace(OWN_CLUSTER, ELSEWHERE)
    for own, elsewhere in POOLS.items():
        changed = changed.replace(own, elsewhere.format(address=address))
    lines = [one for one in difflib.ndiff(program.splitlines(), changed.splitlines()) if one[0] in "+-"]
    assert [one[0] for one in lines] == ["-", "+"], "exactly one line has to change"
    return changed


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yield a master and two slaves, each in a folder of its own, where nothing of the programs is."""
    made = Cluster(tmp_path_factory.mktemp("elsewhere"))
    try:
        made.master()
        slaves = []
        for name in ("one", "two"):
            folder = tmp_path_factory.mktemp(name)
            slaves.append(made.run("slave", "-m", made.address, "-w", WORKERS_OF_EACH, folder=folder))
        for slave in slaves:
            slave.wait_for_line("joined the master")
        yield made
    finally:
        made.close()


def output_of(cluster: Cluster, folder: Path, *arguments: str) -> str:
    """Run Python in a folder, with the address of the master as its only link to the cluster."""
    variables = {"CONCURRENT_MASTER": cluster.address}
    return cluster.run(*arguments, starter=(sys.executable,), variables=variables, folder=folder).succeed()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_the_same_elsewhere(elsewhere: Cluster, tmp_path: Path, name: str) -> None:
    block = PROGRAMS[name]
    if block.missing:
        pytest.skip(f"not installed: {', '.join(block.missing)}")
    program = tmp_path / "program.py"
    program.write_text(with_one_line_changed(block.text, elsewhere.address), encoding="utf-8")
    assert output_of(elsewhere, tmp_path, program.name) == block.printed


def test_a_package_that_imports_relatively_does_too(elsewhere: Cluster, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    for name, text in PACKAGE.items():
        changed = with_one_line_changed(text, "") if OWN_CLUSTER in text else text
        (tmp_path / name).write_text(changed, encoding="utf-8")
    assert output_of(elsewhere, tmp_path, "-m", "shop.main") == "[2, 5]\n"
