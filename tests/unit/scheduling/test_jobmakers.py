"""Who may touch a job, and whose name it has."""

from __future__ import annotations

import pytest

from concurrent.scheduling.ledger.jobspec import JobSpec, jobspec_from
from concurrent.scheduling.master.jobmakers import UNKNOWN, is_own, made_by, may_read, may_touch
from concurrent.transport.security.identity import ANYBODY, THIS_USER, Identity
from concurrent.transport.security.roles import Role

ANN = Identity(Role.SUBMIT, "ann", "office", "1f")
BOB = Identity(Role.SUBMIT, "bob", "office", "2e")
CHIEF = Identity(Role.ADMIN, "chief", "office", "3d")
MASTER = Identity(Role.MASTER, "head", "office", "4c")
RACK = Identity(Role.SLAVE, "ann", "office", "5b")
WINDOW = Identity(Role.OBSERVE, "ann", "office", "6a")
EVERYBODY = [ANN, BOB, CHIEF, MASTER, THIS_USER, ANYBODY, RACK, WINDOW]


def job_of(identity: Identity) -> JobSpec:
    return JobSpec(made_by=made_by(identity))


@pytest.mark.parametrize(
    ("maker", "touching", "owning"),
    [
        (ANN, [ANN, CHIEF, MASTER, THIS_USER, ANYBODY], [ANN]),
        (THIS_USER, [CHIEF, MASTER, THIS_USER, ANYBODY], [CHIEF, MASTER, THIS_USER, ANYBODY]),
        (CHIEF, [CHIEF, MASTER, THIS_USER, ANYBODY], [CHIEF, MASTER, THIS_USER, ANYBODY]),
        (ANYBODY, EVERYBODY, EVERYBODY),
    ],
    ids=str,
)
def test_a_job_belongs_to_who_made_it(
    maker: Identity, touching: list[Identity], owning: list[Identity]
) -> None:
    spec = job_of(maker)
    assert [one for one in EVERYBODY if may_touch(spec, one)] == [one for one in EVERYBODY if one in touching]
    assert [one for one in EVERYBODY if is_own(spec, one)] == [one for one in EVERYBODY if one in owning]


def test_a_new_certificate_changes_nothing() -> None:
    assert is_own(job_of(ANN), Identity(Role.SUBMIT, "ann", "office", "7f"))


def test_a_job_of_an_older_journal_is_everybodys() -> None:
    old = {name: value for name, value in job_of(ANN).as_map().items() if name != "made_by"}
    assert may_touch(jobspec_from(old), BOB)
    assert jobspec_from(job_of(ANN).as_map()).made_by == "submit:ann"


@pytest.mark.parametrize(
    ("maker", "reading"),
    [
        (ANN, [ANN, CHIEF, MASTER, THIS_USER, ANYBODY]),
        (CHIEF, [CHIEF, MASTER, THIS_USER, ANYBODY]),
        (ANYBODY, [ANN, BOB, CHIEF, MASTER, THIS_USER, ANYBODY]),
    ],
    ids=str,
)
def test_who_only_looks_or_runs_tasks_reads_nobodys_words(maker: Identity, reading: list[Identity]) -> None:
    readers = [one for one in EVERYBODY if may_read(made_by(maker), one)]
    assert readers == [one for one in EVERYBODY if one in reading]
    assert [one for one in EVERYBODY if may_read(UNKNOWN, one)] == [CHIEF, MASTER, THIS_USER, ANYBODY]
