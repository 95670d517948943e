"""Jobs as a user has them: whatever ends, at any time, each callback is called once."""

from __future__ import annotations

import re
import signal
import sys

import pytest

from tests.system.cluster import APPS, Cluster, Gate, kill, wait_until
from tests.system.jobs import APP, JobCluster, right

pytestmark = pytest.mark.system


def test_a_detached_job_outlives_its_program_and_its_master(cluster: Cluster, gate: Gate) -> None:
    jobs = JobCluster(cluster)
    job = jobs.detach("numbers", f"longjob.port={gate.port}", "longjob.count=8")
    gate.wait_for(4)
    jobs.kill_master()
    gate.open()  # what ran is finished while there is no master
    jobs.restart_master()
    jobs.wait_for(job, open=0, finished=8)
    assert jobs.outcomes == []
    assert jobs.attach("numbers").succeed() == ""
    assert jobs.outcomes == right(8)
    assert jobs.runs == list(range(8))
    assert jobs.ends == ["None"]


def test_an_application_that_finds_nothing_to_do_ends_its_job(cluster: Cluster) -> None:
    jobs = JobCluster(cluster)
    app = cluster.folder / "nothing.py"
    app.write_text(NOTHING_TO_DO)
    cluster.app(app, "--job", "nothing").succeed()
    assert jobs.job("nothing")["state"] == "ended"
    jobs.command("forget", "nothing").succeed()


NOTHING_TO_DO = """
from concurrent.apps import ApplicationNode

class NothingToDo(ApplicationNode):
    def start_processing(self):
        self.shutdown_main_loop()
"""


def test_the_terminal_may_be_closed_while_it_still_pushes(cluster: Cluster, gate: Gate) -> None:
    jobs = JobCluster(cluster)
    command = f"app {APP} -m {cluster.address} --detach --job numbers -o longjob.notes={cluster.folder}"
    argv = [
        sys.executable,
        "-m",
        "concurrent.apps.main",
        *command.split(),
        "-o",
        f"longjob.push_port={gate.port}",
    ]
    program = cluster.run("-c", TERMINAL, *argv, starter=(sys.executable,))
    gate.wait_for(1)
    kill(program.pid)  # the terminal, which has it as its own
    program.popen.wait()
    gate.open()
    wait_until(lambda: jobs.command("jobs", "numbers").wait() == 0, "the job is there")
    jobs.wait_for("numbers", open=0, finished=10)
    jobs.attach("numbers").succeed()
    assert jobs.outcomes == right(10)


TERMINAL = """
import os, pty, sys
pid, terminal = pty.fork()
if not pid:
    os.execv(sys.argv[1], sys.argv[1:])
while os.read(terminal, 1000):
    pass
"""
"""Runs a program in a terminal, which ends with this process."""


def test_the_same_name_again_runs_nothing_twice(cluster: Cluster) -> None:
    jobs = JobCluster(cluster)
    job = jobs.detach("numbers")
    assert jobs.detach("numbers") == job
    jobs.wait_for(job, open=0, finished=10)
    assert jobs.app("--job", "numbers").succeed() == ""
    assert jobs.outcomes == right(10)
    jobs.wait_for(job, state="ended")
    again = jobs.app("--job", "numbers")
    assert again.wait() == 0
    assert "has ended" in again.err
    assert "10 tasks finished" in again.err
    assert "concurrent forget numbers" in again.err
    jobs.command("forget", "numbers").succeed()
    assert jobs.detach("numbers") != job
    jobs.wait_for("numbers", open=0, finished=10)
    assert jobs.runs == sorted(2 * list(range(10)))


def test_a_push_that_was_cut_is_made_up_for_by_the_next_program(cluster: Cluster, gate: Gate) -> None:
    jobs = JobCluster(cluster)
    first = jobs.app("--job", "numbers", options=(f"longjob.push_port={gate.port}",))
    gate.wait_for(1)
    wait_until(lambda: jobs.job("numbers")["finished"] > 0, "something was pushed")
    kill(first.pid)
    first.popen.wait()
    gate.open()
    second = jobs.app("--job", "numbers")
    second.succeed()
    assert re.search("was cut after [1-5] tasks", second.err)
    assert jobs.outcomes == right(10)
    assert jobs.runs == list(range(10))


def cut_push(jobs: JobCluster, gate: Gate) -> int:
    """Have a program killed amid its push; return how many tasks it has pushed."""
    first = jobs.app("--job", "numbers", options=(f"longjob.push_port={gate.port}", "longjob.count=16"))
    gate.wait_for(1)
    wait_until(lambda: jobs.job("numbers")["finished"] > 5, "something was pushed")
    pushed = int(jobs.job("numbers")["pushed"])
    kill(first.pid)
    first.popen.wait()
    return pushed


def test_what_a_shorter_push_leaves_over_is_said_and_its_results_come_all_the_same(
    cluster: Cluster, gate: Gate
) -> None:
    jobs = JobCluster(cluster)
    pushed = cut_push(jobs, gate)
    second = jobs.app("--detach", "--job", "numbers", options=("longjob.count=2",))
    second.succeed()
    assert f"had pushed {pushed - 2} tasks more than this one" in second.err
    jobs.wait_for("numbers", left_over=pushed - 2, open=0)
    assert f"{pushed - 2} tasks of a former program" in jobs.command("jobs").succeed()
    jobs.restart_master()
    assert f"note:        {pushed - 2} tasks" in jobs.command("jobs", "numbers").succeed()
    jobs.attach("numbers").succeed()
    assert jobs.outcomes == right(pushed)
    jobs.wait_for("numbers", state="ended", unread=0)


def test_what_a_shorter_push_leaves_over_comes_to_the_program_that_pushed_it(
    cluster: Cluster, gate: Gate
) -> None:
    jobs = JobCluster(cluster)
    pushed = cut_push(jobs, gate)
    jobs.app("--job", "numbers", options=("longjob.count=2",)).succeed()
    assert jobs.outcomes == right(pushed)
    assert jobs.runs == list(range(pushed))
    jobs.wait_for("numbers", state="ended", unread=0)


def test_a_program_that_is_killed_is_followed_by_one_that_takes_the_rest(cluster: Cluster, gate: Gate) -> None:
    jobs = JobCluster(cluster)
    first = jobs.app("--job", "numbers", options=(f"longjob.port={gate.port}", "longjob.count=8"))
    gate.wait_for(4)
    jobs.wait_for("numbers", is_attached=True, pushed=8)
    kill(first.pid)
    first.popen.wait()
    gate.open()
    jobs.wait_for("numbers", finished=8, unread=8)
    second = jobs.app("--job", "numbers")
    second.succeed()
    assert "goes on: 0 of 8 results were taken before" in second.err
    assert jobs.outcomes == right(8)
    assert jobs.runs == list(range(8))


def test_a_signal_leaves_the_job_after_the_present_callback(cluster: Cluster, gate: Gate) -> None:
    jobs = JobCluster(cluster)
    jobs.detach("numbers", f"longjob.call_port={gate.port}")
    jobs.wait_for("numbers", open=0, finished=10)
    first = jobs.attach("numbers")
    gate.wait_for(1)
    first.send(signal.SIGINT)
    gate.open()
    assert first.wait() == 130
    assert "concurrent attach numbers" in first.err
    assert len(jobs.outcomes) == 1
    assert jobs.attach("numbers").succeed() == ""
    assert jobs.outcomes == right(10)


def test_an_interrupted_push_says_how_to_go_on_and_that_pushes_the_rest(cluster: Cluster, gate: Gate) -> None:
    jobs = JobCluster(cluster)
    first = jobs.app("--detach", "--job", "numbers", options=(f"longjob.push_port={gate.port}",))
    gate.wait_for(1)
    wait_until(lambda: jobs.job("numbers")["finished"] > 0, "something was pushed")
    first.send(signal.SIGINT)
    assert first.wait() == 130
    assert first.out == ""
    assert "job numbers was left before all was pushed" in first.err
    gate.open()
    jobs.attach("numbers").succeed()
    assert jobs.outcomes == right(10)
    assert jobs.runs == list(range(10))


def test_a_script_is_started_again_as_it_was(cluster: Cluster) -> None:
    jobs = JobCluster(cluster)
    arguments = ("-m", cluster.address, "-o", f"longjob.notes={cluster.folder}", "-o", "longjob.first=5")
    detached = cluster.run(APP, *arguments, "--detach", "--job", "numbers", starter=(sys.executable,))
    assert detached.succeed().endswith(" numbers\n")
    jobs.wait_for("numbers", open=0, finished=10)
    jobs.attach("numbers").succeed()
    assert jobs.outcomes == right(10, first=5)


def test_batches_of_a_former_program_have_a_callback_for_each_task(cluster: Cluster) -> None:
    jobs = JobCluster(cluster)
    jobs.detach("numbers", "longjob.batch_size=4")
    jobs.wait_for("numbers", open=0, finished=3)
    jobs.attach("numbers").succeed()
    assert jobs.outcomes == right(10)
    assert jobs.ends == ["None"]


def test_a_task_system_goes_on_and_its_result_is_there_at_attach(cluster: Cluster, gate: Gate) -> None:
    jobs = JobCluster(cluster)
    jobs.detach("numbers", "longjob.mode=system", f"longjob.port={gate.port}", "longjob.count=4")
    gate.wait_for(4)
    jobs.restart_master()
    gate.open()
    jobs.wait_for("numbers", state="ended", systems=1, unread=1, pushed=4, finished=4)
    jobs.attach("numbers").succeed()
    assert jobs.ends == [str(list(range(4)))]
    jobs.wait_for("numbers", state="ended", how="finished", systems=0, unread=0, pushed=4, finished=4)
    jobs.restart_master()
    job = jobs.job("numbers")
    assert (job["pushed"], job["finished"], job["unread"], job["systems"]) == (4, 4, 0, 0)
    assert 0 < job["created_at"] <= job["first_run_at"] <= job["ended_at"]
    for again in (jobs.attach("numbers"), jobs.app("--job", "numbers", options=("longjob.mode=system",))):
        assert again.succeed() == ""
        assert "4 tasks finished, 0 failed, 0 cancelled, all results were taken" in again.err
    assert jobs.ends == [str(list(range(4)))]
    assert jobs.runs == list(range(4))


SYSTEM = ("longjob.mode=system", "longjob.count=4")


def test_a_program_killed_when_it_has_dealt_with_its_system_is_not_given_the_result_again(
    cluster: Cluster,
) -> None:
    jobs = JobCluster(cluster)
    first = jobs.app("--job", "numbers", options=(*SYSTEM, "longjob.stays=true"))
    wait_until(lambda: bool(jobs.ends), "the result", lambda: first.err)
    jobs.wait_for("numbers", systems=0, finished=4)
    kill(first.pid)
    first.popen.wait()
    jobs.app("--job", "numbers", options=SYSTEM).succeed()
    assert jobs.ends[0] == str(list(range(4)))
    assert set(jobs.ends[1:]) <= {"None"}, "nothing is left to do, which is no result"
    assert jobs.runs == list(range(4))


def test_a_program_killed_while_it_deals_with_its_system_is_followed_by_one_that_is_given_the_result(
    cluster: Cluster, gate: Gate
) -> None:
    jobs = JobCluster(cluster)
    first = jobs.app("--job", "numbers", options=(*SYSTEM, f"longjob.end_port={gate.port}"))
    gate.wait_for(1)
    kill(first.pid)
    first.popen.wait()
    jobs.app("--job", "numbers", options=SYSTEM).succeed()
    assert jobs.ends == 2 * [str(list(range(4)))]
    assert jobs.runs == list(range(4))


def test_what_failed_is_shown_and_what_is_forgotten_is_gone(cluster: Cluster, gate: Gate) -> None:
    jobs = JobCluster(cluster)
    jobs.detach("numbers", f"longjob.port={gate.port}", "longjob.first=-2")
    gate.wait_for(4)
    gate.open()
    jobs.wait_for("numbers", open=0, finished=8, failed=2)
    text = jobs.command("jobs", "numbers").succeed()
    assert "2 of Number: ValueError" in text
    assert "is less than zero" in text
    assert "durability:  host" in text
    jobs.wait_for("numbers", state="ended")
    assert "10 results that nobody has taken" in jobs.command("forget", "numbers").succeed()
    assert jobs.command("jobs", "numbers").wait() == 3


def test_two_programs_never_share_a_job(cluster: Cluster, gate: Gate) -> None:
    jobs = JobCluster(cluster)
    first = jobs.app("--job", "numbers", options=(f"longjob.port={gate.port}",))
    gate.wait_for(4)
    jobs.wait_for("numbers", has_begun=True)
    second = jobs.attach("numbers")
    assert first.wait() == 3
    (line,) = first.err.splitlines()
    assert "Two programs never share a job" in line
    gate.open()
    second.succeed()
    assert jobs.outcomes == right(10)


def test_a_job_that_is_forgotten_while_a_program_has_it_is_not_begun_anew(cluster: Cluster, gate: Gate) -> None:
    jobs = JobCluster(cluster)
    program = jobs.app("--job", "numbers", options=(f"longjob.push_port={gate.port}",))
    gate.wait_for(1)
    wait_until(lambda: jobs.job("numbers")["finished"] == 5, "half of it was pushed")
    said = jobs.command("forget", "--force", "numbers").succeed()
    assert "with 5 results that nobody has taken; the program that is attached to it ends" in said
    gate.open()
    assert program.wait() == 3
    assert "job numbers was forgotten while this program had it" in program.err
    assert "goes on without this program" not in program.err
    assert jobs.command("jobs").succeed() == "there are no jobs\n"


def test_the_name_of_another_programs_job_is_refused(cluster: Cluster) -> None:
    jobs = JobCluster(cluster)
    jobs.detach("numbers")
    other = cluster.app(APPS / "hello.py", "--job", "numbers")
    assert other.wait() == 2
    assert f"the program {APP}" in other.err


def test_of_a_job_that_is_cancelled_nothing_runs_again(cluster: Cluster, gate: Gate) -> None:
    jobs = JobCluster(cluster)
    jobs.detach("numbers", f"longjob.port={gate.port}")
    gate.wait_for(4)
    refused = jobs.command("forget", "numbers")
    assert refused.wait() == 3
    assert "concurrent cancel numbers" in refused.err
    jobs.command("cancel", "numbers").succeed()
    jobs.wait_for("numbers", state="ended", how="cancelled", open=0, cancelled=10)
    again = jobs.app("--job", "numbers")
    assert again.wait() == 0
    assert "10 cancelled" in again.err
    assert jobs.outcomes == []
    released = jobs.command("release", "numbers")
    assert (released.wait(), released.out) == (0, "job numbers was not held: it is ended (cancelled)\n")
    attached = jobs.attach("numbers")
    assert attached.wait() == 0
    assert "10 of 10 tasks were cancelled" in attached.err
    assert "failed" not in attached.err
    assert jobs.runs == jobs.runs[:4]
    jobs.command("forget", "numbers").succeed()


def test_without_a_master_or_a_journal_it_is_refused_with_what_to_type(cluster: Cluster) -> None:
    for arguments in (("--detach",), ("--job", "numbers")):
        program = cluster.run("app", APP, *arguments)
        assert program.wait() == 2
        assert "--master HOST:PORT" in program.err
    cluster.master(options=("journal.durability=none",))
    program = cluster.app(APP, "--detach")
    assert program.wait() == 3
    assert "keeps no journal" in program.err
    assert "concurrent master" in program.err
