"""Types what ``console`` blocks of a page show, on machines with homes of their own, and sees what is printed.

``tower$ COMMAND`` is typed at *tower*, and the lines below are what that prints:

* ``...`` stands for any text, and as a whole line for any lines;
* ``^C`` has Ctrl-C pressed when the lines above it are there;
* a word such as ``LINE-OF-RACK`` is kept, and stands for what was printed there in later commands;
* node ids, the names of the cluster and of machines, and the port are those of the test.

Commands that go on (``concurrent master``, ``concurrent slave``) run until the page is done. Lines of a log are
left out of what others print.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.system.cluster import wait_until

__all__ = ["Machines", "Typed", "pattern_of", "typed_in"]

WITHIN_S = 100
CONTINUES = re.compile(r"concurrent (master|slave)\b")
ASKS = re.compile(r"concurrent (status|jobs|logs|forget)\b")
"""What is about others, which may need a moment."""
INVITES = re.compile(r"concurrent keys invite\b")
INTERRUPT = "^C"

_PROMPT = re.compile(r"(\w+)\$ (.*)")
_LOGGED = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} .*\n", re.MULTILINE)
_KEPT = re.compile(r"\b[A-Z]+(?:-[A-Z]+)+\b")
_PARTS = re.compile(
    r"(?P<any>\.\.\.)|(?P<kept>\b[A-Z]+(?:-[A-Z]+)+\b)|(?P<id>\b(?:master|slave|application)-\w+-\d+-[0-9a-f]{8}\b)"
    r"|(?P<cluster>\btower-\w{4}\b)|(?P<port>\b8750\b)|(?P<space>\s+)"
)


@dataclass(frozen=True)
class Typed:
    """A command at a machine, and what the page says that it prints."""

    machine: str
    command: str
    printed: tuple[str, ...]


def typed_in(block: str) -> Iterator[Typed]:
    """Yield what is typed in a block, in its order."""
    for part in re.split(r"^(?=\w+\$ )", block, flags=re.MULTILINE):
        if found := _PROMPT.match(part):
            yield Typed(found[1], found[2], tuple(part.splitlines()[1:]))


def pattern_of(lines: tuple[str, ...], machines: dict[str, str], port: int) -> re.Pattern[str]:
    """Return what lines of a page stand for.

    :param machines: what each machine of the page is called in truth.
    """

    def meant(found: re.Match[str]) -> str:
        if found["kept"]:
            return f"(?P<{found['kept'].replace('-', '_')}>\\S+)"
        any_of = {"any": ".*?", "id": rf"{found[0].partition('-')[0]}-[\w.-]+", "cluster": r"[\w.-]+-\w{4}"}
        return {**any_of, "port": str(port), "space": r"\s+"}[str(found.lastgroup)]

    def of_line(line: str) -> str:
        if line == "...":
            return r"(?:.*\n)*?"
        at, parts = 0, []
        for found in _PARTS.finditer(line):
            parts += [plain(line[at : found.start()]), meant(found)]
            at = found.end()
        return f"{''.join(parts)}{plain(line[at:])}\\s*\n"

    def plain(text: str) -> str:
        for shown, true in machines.items():
            text = re.sub(rf"\b{shown}\b", true, text)
        return re.escape(text)

    return re.compile("".join(map(of_line, lines)))


class Machines:
    """The machines of a page; they are all this one, but each has its own home.

    :param folder: for their homes; its path has to be short.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._kept: dict[str, str] = {}
        self._going_on: list[subprocess.Popen[bytes]] = []

    def home(self, machine: str) -> Path:
        """Return the home folder of a machine."""
        home = self._folder / machine
        (home / "run").mkdir(mode=0o700, parents=True, exist_ok=True)
        return home

    def type(self, typed: Typed) -> None:
        """Type a command, and see that it prints what the page says."""
        command = _KEPT.sub(lambda found: self._kept.get(found[0], found[0]), typed.command)
        if INVITES.match(command):  # a machine that runs tests may have no other address
            command += f" --address 127.0.0.1:{self._port}"
        if CONTINUES.match(command):
            self._begin(typed, command)
        elif INTERRUPT in "".join(typed.printed):
            self._interrupt(typed, command)
        elif ASKS.match(command):
            said: list[str] = []
            wait_until(lambda: self._is_said(typed, command, said), typed.command, lambda: said[-1])
        else:
            said = []
            assert self._is_said(typed, command, said), f"{typed.command} prints\n{said[-1]}"

    def close(self) -> None:
        """Press Ctrl-C where something goes on, the last one first."""
        for process in reversed(self._going_on):
            process.send_signal(signal.SIGINT)
            process.wait(WITHIN_S)
        self._going_on.clear()

    def _is_said(self, typed: Typed, command: str, said: list[str]) -> bool:
        done = subprocess.run(
            ["bash", "-c", command],
            **self._place(typed.machine),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=WITHIN_S,
            check=False,
        )
        said.append(_LOGGED.sub("", done.stdout.decode()))
        found = self._pattern(typed.printed).fullmatch(said[-1])
        if found:
            self._kept.update({name.replace("_", "-"): text for name, text in found.groupdict().items()})
        return found is not None

    def _begin(self, typed: Typed, command: str) -> None:
        output = self.home(typed.machine) / f"output-{len(self._going_on)}"
        with output.open("wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], **self._place(typed.machine), stdout=file, stderr=file
            )
        self._going_on.append(process)
        pattern = self._pattern(("...", *typed.printed))
        wait_until(lambda: bool(pattern.match(output.read_text())), command, output.read_text)

    def _interrupt(self, typed: Typed, command: str) -> None:
        before = typed.printed[: next(n for n, line in enumerate(typed.printed) if line.startswith(INTERRUPT))]
        output = self.home(typed.machine) / "output"
        with output.open("wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], **self._place(typed.machine), stdout=file, stderr=file
            )
        try:
            pattern = self._pattern(("...", *before))
            wait_until(lambda: bool(pattern.match(output.read_text())), command, output.read_text)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(WITHIN_S)

    def _pattern(self, printed: tuple[str, ...]) -> re.Pattern[str]:
        here = re.escape(socket.gethostname())
        return pattern_of(printed, dict.fromkeys(("desk", "tower", "rack"), here), self._port)

    def _place(self, machine: str) -> dict[str, object]:
        """Return in which folder, and with which variables, a command of a machine is run."""
        home = self.home(machine)
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("XDG_", "CONCURRENT_"))}
        marks = {name: text for name, text in os.environ.items() if name.startswith("CONCURRENT_TEST")}
        variables = {
            **kept,
            **marks,
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "CONCURRENT_SYSTEM_FILE": "none",
        }
        if machine == "tower":  # where the port is not what pages say; others have it of their line
            variables["CONCURRENT_MASTER__PORT"] = str(self._port)
            variables["CONCURRENT_SLAVE__MASTER"] = f"127.0.0.1:{self._port}"
        return {"cwd": home, "env": variables, "stdin": subprocess.DEVNULL}


def free_port() -> int:
    """Return a port that nobody listens at, below those that systems give away by themselves."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as place:
            if place.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("no port is free")
