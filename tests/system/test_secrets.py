"""Nothing that is secret is seen where others look: lists of processes, environments, files, pages, errors."""

from __future__ import annotations

import http.client
import re
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from benchmarks.machines import KeyedCluster
from concurrent.apps import ClusterExecutor
from concurrent.transport.security.joinline import JoinLine

pytestmark = pytest.mark.system

TIMEOUT_S = 30.0
PAGES = ("/", "/ping", "/status", "/stats", "/api", "/openapi.json", "/nothing", "/login?code=wrong")
PUBLIC_BYTES = 40
"""What a line of a key has at least that cannot be met by chance."""

SEEN_BY_OWNER = {".key"}
"""The only files that may have secrets: those of keys, which nobody else may read."""


def fails() -> None:
    raise ValueError("of a task")


@pytest.fixture(scope="module")
def cluster() -> Iterator[KeyedCluster]:
    """A cluster that logs all that it can, and keeps a journal."""
    with tempfile.TemporaryDirectory(prefix="sec") as name:
        folder = Path(name)
        options = {
            "logging.level": "debug",
            "journal.folder": str(folder / "journal"),
            "transport.channel": "tcp",
        }
        with KeyedCluster(folder, options) as made:
            yield made


class Browser:
    """Asks the master over HTTP and over TLS, as a person does.

    :param secrets: gets the login code and the cookie.
    """

    def __init__(self, cluster: KeyedCluster, secrets: dict[str, str]) -> None:
        self._cluster = cluster
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        (address,) = re.findall(r"http\S+", cluster.master.run("open", "--print", "-m", cluster.address))
        secrets["code"] = address.partition("code=")[2]
        form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        status, headers, _ = self.get(f"/login?code={secrets['code']}", form, "POST")
        assert status == http.client.SEE_OTHER
        self.cookie = headers["Set-Cookie"].partition(";")[0]
        secrets["cookie"] = self.cookie.partition("=")[2]

    def get(
        self, path: str, headers: Mapping[str, str], verb: str = "GET", *, is_encrypted: bool = False
    ) -> tuple[int, Mapping[str, str], str]:
        """Return status, headers and text of an answer."""
        host = ("127.0.0.1", self._cluster.port)
        connection: http.client.HTTPConnection = http.client.HTTPConnection(*host, timeout=TIMEOUT_S)
        if is_encrypted:
            connection = http.client.HTTPSConnection(*host, timeout=TIMEOUT_S, context=self._context)
        try:
            connection.request(verb, path, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read().decode()
        finally:
            connection.close()


def secrets_of(cluster: KeyedCluster) -> dict[str, str]:
    """Return what nobody may see, by what it is: lines of keys, invitations and a token."""
    found = {
        f"{path.name} {number}": line
        for path in cluster.master.folder.parent.rglob("*.key")
        for number, line in enumerate(path.read_text().splitlines())
        if len(line) >= PUBLIC_BYTES and not line.startswith("-----")
    }
    assert len({name.split()[0] for name in found}) >= 4, found  # of the authority and of three machines
    found |= {f"invitation {at}": JoinLine.parse(line).secret for at, line in enumerate(cluster.lines)}
    found["token"] = cluster.master.run("keys", "token", "admin", "--name", "wall").strip()
    return found


def processes_of(cluster: KeyedCluster) -> str:
    """Return the command lines and environments of all nodes and of what they have started."""
    nodes = cluster.nodes()
    assert len(nodes) > len(cluster.processes)  # workers
    return "\n".join(
        " ".join([*one.cmdline(), *(f"{name}={value}" for name, value in one.environ().items())])
        for one in nodes
        if one.status() != psutil.STATUS_ZOMBIE
    )


def files_of(cluster: KeyedCluster) -> dict[str, str]:
    """Return all that was written, but for the files of keys."""
    folder = cluster.master.folder.parent
    return {
        str(path.relative_to(folder)): path.read_bytes().decode("latin-1")
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in SEEN_BY_OWNER
    }


def test_no_secret_is_seen_by_others(cluster: KeyedCluster) -> None:
    secrets = secrets_of(cluster)
    browser = Browser(cluster, secrets)
    seen: dict[str, str] = {}
    with ClusterExecutor(cluster.address, job="kept", options=cluster.options) as executor:
        assert executor.submit(len, "four").result(TIMEOUT_S) == 4
        error = executor.submit(fails).exception(TIMEOUT_S)
        seen["the error of a task"] = repr(error) + repr(getattr(error, "__cause__", ""))
        seen["processes"] = processes_of(cluster)
    for way, headers in {
        "cookie": {"Cookie": browser.cookie},
        "token": {"Authorization": f"Bearer {secrets['token']}"},
        "cut token": {"Authorization": f"Bearer {secrets['token'][:-1]}"},
    }.items():
        for page in PAGES:
            for is_encrypted in (False, True):
                _, said, text = browser.get(page, headers, is_encrypted=is_encrypted)
                seen[f"{page} with {way}"] = text + str({**said, "Set-Cookie": ""})
    join = {"Authorization": f"Join {secrets['invitation 0']}"}
    status, said, text = browser.get("/join", join, "POST", is_encrypted=True)
    assert status == http.client.UNAUTHORIZED
    seen["/join"] = text + str(said)
    seen |= files_of(cluster)
    assert "DEBUG" in seen["m/log"]
    assert any("audit" in name for name in seen)
    assert any("journal" in name for name in seen)
    found = [
        f"{what} in {where}"
        for where, text in seen.items()
        for what, secret in secrets.items()
        if secret in text
    ]
    assert found == []


def test_files_of_keys_are_for_their_user_alone(cluster: KeyedCluster) -> None:
    keys = list(cluster.master.folder.parent.rglob("*.key"))
    assert keys
    for path in keys:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
