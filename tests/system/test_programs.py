"""Applications that are started as scripts, and what people get wrong in them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.cluster import APPS, Cluster

pytestmark = pytest.mark.system

PROGRAM = APPS / "program.py"
TIMEOUT_S = 60.0


def python(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def test_a_script_runs_its_application_as_the_command_would_and_goes_on() -> None:
    done = python(PROGRAM, "-w", "1", "-o", "counts.count=5")
    assert (done.returncode, done.stdout) == (0, "5\nand goes on\n"), done.stderr


@pytest.mark.parametrize(
    ("options", "code"),
    [(["counts.bad=2"], 1), (["counts.bad=2", "counts.is_fine=yes"], 0), (["counts.nothing=1"], 2)],
)
def test_a_script_ends_with_the_exit_code_of_the_command(
    cluster: Cluster, options: list[str], code: int
) -> None:
    assignments = [part for one in options for part in ("-o", one)]
    done = python(PROGRAM, "-w", "1", *assignments)
    assert done.returncode == code, done.stderr
    assert ("and goes on" in done.stdout) == (code == 0)
    app = cluster.embedded(PROGRAM, *assignments)
    assert app.wait() == code
    if code == 1:
        assert "2 of 5 tasks failed" in app.err
        assert "2 of 5 tasks failed" in done.stderr


def test_a_script_that_only_defines_an_application_says_how_to_run_it(tmp_path: Path) -> None:
    script = tmp_path / "count.py"
    script.write_text(PROGRAM.read_text().partition("\nif __name__")[0])
    done = python(script)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert "count.py defines the application Counts and does not run it" in done.stderr


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("    def __init__(self):\n        self.x = 1\n", "One.__init__ does not call super().__init__()"),
        ("One.run()\n", "calls its run() while it is loaded"),
    ],
)
def test_what_cannot_work_is_one_line_and_exit_code_2(
    cluster: Cluster, tmp_path: Path, source: str, says: str
) -> None:
    script = tmp_path / "one.py"
    script.write_text(
        f"from concurrent.apps import ApplicationNode\nclass One(ApplicationNode):\n    pass\n{source}"
    )
    app = cluster.embedded(script)
    assert app.wait() == 2
    assert says in app.err
    assert app.err.count("\n") == 1


def test_a_misspelt_callback_is_warned_of(cluster: Cluster) -> None:
    app = cluster.embedded(PROGRAM)
    app.succeed()
    assert "Counts.task_finnished is nothing that is called back: is task_finished meant?" in app.err


def test_an_application_that_has_nothing_to_do_and_does_not_end_says_so(cluster: Cluster) -> None:
    app = cluster.embedded(PROGRAM, options=("counts.goes_on=yes",))
    app.wait_for_line(r"nothing is unfinished and shutdown_main_loop\(\) was not called")


def test_the_master_knows_which_application_it_was_and_how_it_ended(cluster: Cluster) -> None:
    cluster.master("-w", "1")
    assert cluster.app(PROGRAM, options=("counts.bad=1",)).wait() == 1
    gone = [node for node in cluster.status()["nodes"] if node["type"] == "application"]
    assert gone[0]["reason"].endswith("stops: exit code 1")
    assert gone[0]["data"]["application"] == "Counts"
    assert gone[0]["data"]["file"] == str(PROGRAM)


SCRIPT = """
import sys
from concurrent.apps import LocalCluster

def shout(text):
    print("heard", text)
    return text.upper()

if __name__ == "__main__":
    with LocalCluster(1) as cluster:
        print(*cluster.map(shout, sys.argv[1:]))
"""


def test_a_script_has_its_arguments_and_tells_as_much_as_is_asked_for(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(SCRIPT)
    told = {}
    for option in ("-v", "-q", "--debug"):
        done = cluster.run("app", tmp_path / "main.py", option, "--", "-v", "data.csv")
        assert done.succeed() == "-V DATA.CSV\n"
        told[option] = "joined the master" in done.err, "heard data.csv" in done.err
    assert told == {"-v": (True, True), "-q": (False, False), "--debug": (False, True)}


@pytest.mark.parametrize("named", ["shop", "shop/__main__.py"])
def test_a_package_with_a_main_module_runs_as_with_python_m(
    cluster: Cluster, tmp_path: Path, named: str
) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "words.py").write_text("from pathlib import Path\nFILE = Path(__file__).parent / 'end.txt'\n")
    (package / "end.txt").write_text("!")
    (package / "__main__.py").write_text(
        SCRIPT.replace("import sys", "import sys\nfrom .words import FILE").replace(
            "text.upper()", "text.upper() + FILE.read_text()"
        )
    )
    done = cluster.run("app", tmp_path / named, "-q", "--include", "end.txt", "--", "a", "b")
    assert done.succeed() == "A! B!\n"
