"""The command line: what it prints, and one clear line and an exit code when it is used wrongly."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import pytest

from benchmarks.processes import free_port
from tests.local import fetch
from tests.system.cluster import APPS, Cluster

pytestmark = pytest.mark.system


def one_line(text: str) -> str:
    """Return the only line of a text."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["app", "missing.py"], "missing.py"),
        (["app", "nothing_of_that_name"], "there is no application 'nothing_of_that_name'"),
        (["app", "json"], "json has 0 applications"),
        (["app", "mandelbrot", "-m", "a:b:c:d"], "is not an address"),
        (["app", "mandelbrot", "-o", "mandelbrot.width=wide"], "width"),
        (["app", "mandelbrot", "-o", "nonsense"], "-o nonsense sets nothing"),
        (["app", "mandelbrot", "-w", "-3"], "workers"),
        (["master", "-p", "70000"], "port"),
        (["master", "-q", "-p", "0", "--scheduler", "NoScheduler"], "NoScheduler"),
        (["slave", "--host", "0.0.0.0", "-o", "keys.folder=none"], "allow_insecure"),
        (["master", "-o", "node.master=NoMaster"], "NoMaster"),
        (["master", "--env", "nowhere"], "concurrent init nowhere"),
        (["master", "-c", "nowhere.ini"], "nowhere.ini"),
        (["slave", "-m", "host:port"], "host:port"),
        (["slave", "--plugin", "nowhere.py"], "nowhere.py"),
        (["status", "-m", "a:b:c"], "is not an address"),
        (["status", "-m", "two..dots:1"], "is not an address"),
        (["app", "mandelbrot", "-m", "a" * 70 + ".com:1"], "is not an address"),
        (["slave", "-m", "two..dots:1"], "two..dots"),
        (["slave", "--host", "two..dots", "-o", "keys.folder=none"], "two..dots"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_wrong_usage_is_one_line_and_exit_code_2(cluster: Cluster, arguments: list[str], says: str) -> None:
    program = cluster.run(*arguments)
    assert program.wait() == 2, program.err
    assert program.out == ""
    line = one_line(program.err)
    assert line.startswith("concurrent: ")
    assert says in line


def test_a_channel_that_no_component_has_is_named_with_those_that_there_are(cluster: Cluster) -> None:
    program = cluster.run("master", "--channel", "smoke")
    assert program.wait() == 2
    assert "'smoke'" in program.err
    assert "Use one of: tcp, zmq" in program.err


@pytest.mark.parametrize("arguments", [[], ["fly"], ["app"], ["master", "--smoke"]])
def test_an_unknown_command_or_argument_shows_the_usage(cluster: Cluster, arguments: list[str]) -> None:
    program = cluster.run(*arguments)
    assert program.wait() == 2
    assert program.err.startswith("usage: concurrent")


@pytest.mark.parametrize("command", ["master", "slave"])
def test_a_port_in_use_is_an_error_of_the_node(cluster: Cluster, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        program = cluster.run(command, "-p", port, "-q")
        assert program.wait() == 3
    assert str(port) in one_line(program.err)


def test_the_exit_codes_are_documented(cluster: Cluster) -> None:
    text = " ".join(cluster.run("--help").succeed().split())
    assert "0 done, 1 the application failed, 2 wrong usage or configuration" in text
    assert (
        "3 the node could not do its work, 75 the journal of a master cannot be written, 130 interrupted"
        in text
    )


def test_debug_shows_the_traceback_of_an_error(cluster: Cluster) -> None:
    program = cluster.run("app", "missing.py", "--debug")
    assert program.wait() == 2
    assert "Traceback" in program.err


def test_status_of_no_node_is_an_error(cluster: Cluster) -> None:
    program = cluster.run("status", "-m", f"127.0.0.1:{free_port()}")
    assert program.wait() == 3
    assert "cannot be reached" in one_line(program.err)


def test_an_error_says_who_named_the_master(cluster: Cluster) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    program = cluster.run("status", variables={"CONCURRENT_MASTER": nobody})
    assert program.wait() == 3
    assert "the address is from environment variable CONCURRENT_MASTER" in one_line(program.err)


def test_a_file_with_the_address_leads_slaves_and_programs_to_the_master(cluster: Cluster) -> None:
    file = cluster.folder / "address"
    there = {"CONCURRENT_MASTER": f"@{file}"}
    slave = cluster.run("slave", "-m", f"@{file}", "-w", 1)
    slave.wait_for_line("waits for a master to write")
    master = cluster.master("--address-file", file)
    slave.wait_for_line("joined the master")
    cluster.run("app", APPS / "hello.py", variables=there).succeed()
    assert "2 accepted in all" in cluster.run("status", variables=there).succeed()
    master.send(signal.SIGTERM)
    assert master.wait() == 0
    assert not file.exists()


def test_status_shows_the_nodes_and_the_tasks(cluster: Cluster) -> None:
    cluster.master()
    cluster.slaves(1)
    cluster.app(APPS / "hello.py").succeed()
    text = cluster.run("status", "-m", cluster.address).succeed()
    assert "2 accepted in all" in text
    assert "slave-" in text
    assert '"type": "master"' in cluster.run("status", "-m", cluster.address, "--json").succeed()


def test_each_option_is_printed_with_its_documentation(cluster: Cluster) -> None:
    text = cluster.run("config").succeed()
    for section in ("application", "logging", "master", "node", "plugins", "scheduling", "slave", "transport"):
        assert f"[{section}]" in text
    assert "Port of the master's JSON API" in text
    assert "[mandelbrot]" in cluster.run("config", "mandelbrot").succeed()
    assert "[slave]" not in cluster.run("config", "-s", "master").succeed()


def test_the_origin_of_each_value_is_printed(cluster: Cluster) -> None:
    (cluster.folder / "own.ini").write_text("[slave]\nworkers = 3\n")
    lines = cluster.run("config", "--origins", "-c", "own.ini", "-o", "master.port=1234").succeed().splitlines()
    (workers,) = [line for line in lines if line.startswith("[slave] workers")]
    assert "3" in workers
    assert "own.ini" in workers
    (port,) = [line for line in lines if line.startswith("[master] port")]
    assert "1234" in port
    assert "default" not in port


def test_check_finds_what_is_unknown_or_wrong(cluster: Cluster) -> None:
    assert cluster.run("config", "--check").succeed() == "the configuration is right\n"
    (cluster.folder / "own.ini").write_text("[slave]\nwokers = 3\n[transprot]\nchannel = zmq\n")
    program = cluster.run("config", "--check", "-c", "own.ini")
    assert program.wait() == 1
    assert "wokers" in program.out
    assert "transprot" in program.out
    wrong = cluster.run("config", "--check", "-o", "slave.workers=many")
    assert wrong.wait() in (1, 2)
    assert "many" in wrong.out + wrong.err


def test_an_environment_is_made_once_and_its_options_and_plugins_are_used(cluster: Cluster) -> None:
    assert "concurrent master --env here" in cluster.run("init", "here").succeed()
    again = cluster.run("init", "here")
    assert again.wait() == 2
    assert "is an environment already" in one_line(again.err)
    folder = cluster.folder / "here"
    for name in ("rpcmaster.py", "strategy.py"):
        (folder / "plugins" / name).write_text((APPS / name).read_text())
    own = cluster.folder / "own.ini"
    own.write_text("[node]\nmaster = MyMaster\n[scheduling]\nstrategy = LastJoined\n")
    master = cluster.master("--env", "here", "-c", own)
    cluster.slaves(1)
    assert sorted(cluster.app(APPS / "hello.py").succeed().splitlines()) == ["hello ada", "hello grace"]
    master.wait_for_line("asked to rate slave")
    assert "register_slave_tcp" in _stats(cluster)
    assert Path(folder, "conf", "concurrent.ini").is_file()


def test_a_slave_and_a_master_of_their_own_process_share_a_strategy(cluster: Cluster) -> None:
    master = cluster.master(
        "--plugin", APPS / "strategy.py", "-w", "2", options=("scheduling.strategy=LastJoined",)
    )
    cluster.app(APPS / "hello.py").succeed()
    master.wait_for_line("asked to rate slave")


def test_an_embedded_cluster_has_the_plugins_of_the_command_line(cluster: Cluster) -> None:
    app = cluster.embedded(
        APPS / "hello.py", "--plugin", APPS / "strategy.py", options=("scheduling.strategy=LastJoined",)
    )
    app.succeed()
    assert "asked to rate slave" in app.err


@pytest.mark.parametrize("command", ["samples", "version"])
def test_commands_that_only_print_succeed(cluster: Cluster, command: str) -> None:
    assert cluster.run(command).succeed()


def _stats(cluster: Cluster) -> str:
    return fetch(cluster.address, "/stats").body.decode()


def test_a_mistyped_option_on_the_command_line_runs_nothing(cluster: Cluster) -> None:
    app = cluster.run("app", "mandelbrot", "-o", "mandelbrot.widht=300")
    assert app.wait() == 2
    assert "unknown option widht in [mandelbrot]. Did you mean width?" in app.err
    assert app.out == ""


def test_workers_can_not_be_asked_of_a_cluster_that_is_there(cluster: Cluster) -> None:
    app = cluster.run("app", "mandelbrot", "-m", "127.0.0.1:8750", "-w", "2")
    assert app.wait() == 2
    assert "the workers of a cluster are those of its slaves" in app.err


def test_a_port_alone_is_no_address(cluster: Cluster) -> None:
    status = cluster.run("status", "-m", "8751")
    assert status.wait() == 2
    assert "Write HOST:PORT" in status.err


def test_an_application_says_that_its_cluster_has_no_workers(cluster: Cluster) -> None:
    cluster.master()
    app = cluster.app(APPS / "hello.py")
    app.wait_for_line(f"has no workers; start some with .*: concurrent slave --master {cluster.address}")


@pytest.mark.parametrize("command", ["app", "slave"])
@pytest.mark.parametrize("port", ["compute_port", "port_of_slave"])
def test_a_port_that_is_not_the_masters_json_api_ends_the_node_with_one_line(
    cluster: Cluster, command: str, port: str
) -> None:
    cluster.master()
    slave = cluster.slave()
    if port == "compute_port":
        number = cluster.status()["compute_port"]
    else:
        number = int(slave.wait_for_line(r"JSONService 127\.0\.0\.1:(\d+)> listens")[1])
    what = [APPS / "hello.py"] if command == "app" else []
    node = cluster.run(command, *what, "-m", f"127.0.0.1:{number}", "-q")
    assert node.wait() == 3
    ends = [line for line in node.err.splitlines() if line.startswith("concurrent: ")]
    assert len(ends) == 1
    assert "no master was found" in ends[0]
    assert node.err.isascii()


def test_a_sample_that_begins_before_there_are_workers_waits_for_them_and_says_so(cluster: Cluster) -> None:
    cluster.master()
    options = ("md5reverse.secret=777", "md5reverse.last=1000", "md5reverse.sequential=yes")
    app = cluster.app("md5reverse", options=options)
    app.wait_for_line("has no workers; start some")
    cluster.slaves(1)
    assert "on 2 workers" in app.succeed()


def test_status_takes_what_nodes_take_and_says_whose_application_it_was(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.master("-w", "1")
    assert cluster.app(APPS / "hello.py").wait() == 0
    file = tmp_path / "there.ini"
    file.write_text(f"[application]\nmaster = {cluster.address}\n")
    ways = [
        cluster.run("status", "-m", f"http://{cluster.address}/"),
        cluster.run("status", "-c", file),
        cluster.run("status", "-o", f"application.master={cluster.address}"),
    ]
    monkeypatch.setenv("CONCURRENT_APPLICATION__MASTER", cluster.address)
    ways.append(cluster.run("status"))
    for way in ways:
        assert "Hello of " in way.succeed()
        assert "stops: exit code 0" in way.out


@pytest.mark.parametrize("command", ["master", "app"])
def test_a_master_whose_own_slave_can_never_start_ends_and_says_why(cluster: Cluster, command: str) -> None:
    what = ["-p", "0"] if command == "master" else [APPS / "hello.py"]
    node = cluster.node(command, *what, "-w", "1", options=("slave.host=192.0.2.1",))
    assert node.wait() == 3
    where = "" if command == "master" else "the embedded cluster could not start: "
    why = "(cannot listen on 192.0.2.1:0|listening on '192.0.2.1' would)"  # with keys, and without
    assert re.search(rf"concurrent: {where}the master's own slave cannot start: {why}", node.err)
