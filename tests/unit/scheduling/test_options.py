"""What is asked for tasks by who pushes them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.owner.results import members_of
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.options import NO_OPTIONS, Options, options_of
from concurrent.scheduling.tasks.retry import Retry, exception_names
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.terms import Terms, terms_from, terms_of


class Careful(Task):
    timeout_s = 5
    retry = 3
    resources = {"gpu": 0.5, "memory": "2GiB"}  # noqa: RUF012  as users write it


def test_the_attributes_of_a_task_are_what_it_asks_for() -> None:
    terms = terms_of(Careful())
    assert (terms.timeout_s, terms.retry) == (5, Retry(3))
    assert dict(terms.resources) == {"gpu": 500, "memory": 2 << 30}
    assert terms_of(Careful()) is terms


def test_what_the_pusher_asks_for_counts_more_and_the_rest_stays() -> None:
    terms = Options(timeout_s=9.0, name="mine").over(terms_of(Careful()))
    assert (terms.timeout_s, terms.name, terms.retry) == (9.0, "mine", Retry(3))
    assert Options(timeout_s=None).over(terms).timeout_s is None
    assert NO_OPTIONS.over(terms) is terms


def test_equal_terms_are_one_object_under_the_same_options() -> None:
    options = Options(priority=7)
    assert options.over(Terms(name="f")) is options.over(Terms(name="f"))


def test_equal_options_are_one_object_and_so_are_the_terms_under_them() -> None:
    first, second = (options_of({"resources": {"gpu": amount}, "retry": Retry(2)}) for amount in (1, 1))
    assert first is second
    assert first.over(Terms(name="f")) is options_of({"resources": {"gpu": 1}}).merged(retry=Retry(2)).over(
        Terms(name="f")
    )
    assert options_of({}) is NO_OPTIONS
    with pytest.raises(SchedulingError, match="priority"):
        options_of({"priority": float(options_of({"priority": 1}).given["priority"])})
    with pytest.raises(SchedulingError, match="gpu"):
        options_of({"resources": {"gpu": True}})


def test_options_are_laid_over_options() -> None:
    merged = Options(priority=7, retry=1).merged(retry=None, deadline_s=60)
    assert merged.given == {"priority": 7, "retry": None, "deadline_s": 60}
    assert pickle.loads(pickle.dumps(merged)).given == merged.given


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": -1}, "timeout_s"),
        ({"timeout_s": True}, "timeout_s"),
        ({"timeout_s": "5"}, "timeout_s"),
        ({"deadline_s": float("nan")}, "deadline_s"),
        ({"deadline_s": float("inf")}, "deadline_s"),
        ({"timeout_s": 10**400}, "timeout_s"),
        ({"retry": 0}, "times"),
        ({"retry": -3}, "times"),
        ({"retry": "three"}, "retry"),
        ({"priority": 101}, "priority"),
        ({"priority": 0.5}, "priority"),
        ({"resources": {"gpu": 0}}, "gpu"),
        ({"resources": {"gpu": -1}}, "gpu"),
        ({"resources": {"gpu": 1.5}}, "gpu"),
        ({"resources": {"cpu": 0.5}}, "cpu"),
        ({"resources": {"GPU": 1}}, "GPU"),
        ({"resources": {"": 1}}, "''"),
        ({"resources": {"memory": "lots"}}, "memory"),
        ({"resources": {"memory": -5}}, "memory"),
        ({"resources": {"memory": "1e400B"}}, "memory"),
        ({"resources": 4}, "resources"),
        ({"resources": {f"r{one}": 1 for one in range(17)}}, "resources"),
        ({"attempts_max": 0}, "attempts_max"),
        ({"name": 5}, "name"),
    ],
)
def test_what_is_not_possible_is_refused_where_it_is_written(asked: dict[str, Any], named: str) -> None:
    with pytest.raises(SchedulingError, match=named) as caught:
        Options(**asked)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        ("30GB", 30_000_000_000),
        ("1.5GiB", 3 << 29),
        ("500 MB", 500_000_000),
        (2e9, 2_000_000_000),
        (1 << 20, 1 << 20),
    ],
)
def test_memory_is_written_with_its_unit_or_in_bytes(amount: Any, units: int) -> None:
    assert Claim.of({"memory": amount}).memory == units


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"resources": {"memory": "30G"}}, '"500MB" or "4GiB"'),
        ({"resources": {"memory": 3}}, 'memory must be 1MiB or more, but is 3. .* write "500MB" or "4GiB"'),
        ({"resources": {"memory": "4KiB"}}, "memory must be 1MiB or more, but is '4KiB'"),
        ({"resources": {"memory": 0}}, "leave out what the task does not need"),
        ({"resources": {"memory": "2PiB"}}, "memory must be 1PiB or less"),
        ({"resources": {"gpu": 0}}, "a whole number from 1, .* leave out what the task does not need"),
        ({"resources": {"gpu": 0.0001}}, "a part from 0.001"),
        ({"retry": "three"}, "^retry must be a Retry or a number of tries"),
        ({"timeout_s": 1e12}, "at most ten years"),
    ],
)
def test_what_is_refused_says_what_is_possible(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(SchedulingError, match=says):
        Options(**asked)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("timeout", "timeout_s"),
        ("retries", "retry"),
        ("max_attempts", "attempts_max"),
        ("resource", "resources"),
        ("deadline", "deadline_s"),
        ("max_retries", "retry"),
        ("time_limit", "timeout_s"),
        ("num_gpus", "resources"),
        ("memory", "resources"),
        ("prio", "priority"),
    ],
)
def test_an_option_that_is_misspelt_is_refused_with_the_one_that_is_meant(written: str, meant: str) -> None:
    with pytest.raises(TypeError, match=f"{written}.*did you mean {meant}?.*deadline_s"):
        options_of({written: 1})


@pytest.mark.parametrize(
    "asked",
    [
        {"on": ()},
        {"on": 5},
        {"on": (int,)},
        {"on": ("OSError",)},
        {"on": type("Lies", (OSError,), {"__module__": "two\nlines"})},
        {"on": type("Long", (OSError,), {"__qualname__": 500 * "x"})},
        {"delay_s": -1},
        {"delay_s": float("nan")},
        {"delay_s": 10**400},
        {"backoff": 0.5},
        {"jitter": 2},
    ],
)
def test_a_retry_of_nothing_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(SchedulingError):
        Retry(3, **asked)


MISSPELT: Any = {"times": 3, "dalay_s": 1}
UNLIKE: Any = {"times": 3, 7: 1}


class Misspelt(Task):
    retry = MISSPELT


@pytest.mark.parametrize(
    "write",
    [
        lambda: Options(retry=MISSPELT),
        lambda: options_of({"retry": MISSPELT}),
        lambda: terms_of(Misspelt()),
    ],
)
def test_a_misspelt_key_of_a_retry_is_refused_where_it_is_written(write: Callable[[], object]) -> None:
    with pytest.raises(
        SchedulingError, match=r"no 'dalay_s' of a retry.*Did you mean delay_s\?.*backoff"
    ) as caught:
        write()
    assert caught.value.value == "dalay_s"


def test_what_is_nothing_like_a_key_of_a_retry_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SchedulingError, match=r"no 7 of a retry.*There are times, on, delay_s") as caught:
        Options(retry=UNLIKE)
    assert "Did you mean" not in str(caught.value)


def test_a_retry_of_a_newer_peer_has_keys_that_are_left_out() -> None:
    terms = terms_from({"retry": {"times": 3, "delay_s": 1, "of_tomorrow": [1]}})
    assert terms.retry == Retry(3, delay_s=1)


class Outer:
    class Nested(ConnectionResetError):
        pass


@pytest.mark.parametrize(
    ("on", "kind", "is_taken"),
    [
        (OSError, ConnectionResetError, True),
        (OSError, ValueError, False),
        (Outer.Nested, Outer.Nested, True),
        (Outer.Nested, ConnectionResetError, False),
        ("builtins.OSError", Outer.Nested, True),
        (Exception, KeyboardInterrupt, False),
        (Exception, SystemExit, False),
        (BaseException, SystemExit, True),
        ((ValueError, KeyboardInterrupt), KeyboardInterrupt, True),
    ],
)
def test_a_retry_is_for_exceptions_and_what_derives_from_them(
    on: Any, kind: type[BaseException], is_taken: bool
) -> None:
    retry = Retry.read(Retry(3, on=on).as_map())  # as a master has it
    assert retry is not None
    assert retry.takes(exception_names(kind)) is is_taken


def test_the_metaclass_of_an_exception_is_not_asked_for_its_names() -> None:
    class Hiding(type):
        def __getattribute__(cls, name: str) -> Any:
            raise RuntimeError(f"nobody shall know {name}")

    class Hidden(OSError, metaclass=Hiding):
        pass

    assert Retry(3, on=Hidden).takes(exception_names(Hidden))
    assert Retry(3, on=OSError).takes(exception_names(Hidden))


def test_an_option_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(TypeError, match=r"'timeout'.*timeout_s"):
        Options(timeout=5)  # type: ignore[call-arg]


def test_terms_travel_and_come_back_the_same() -> None:
    terms = Options(deadline_s=60.5, retry=Retry(2, on=(OSError, ValueError), delay_s=1.0)).over(
        terms_of(Careful())
    )
    assert terms_from(terms.as_map()) == terms


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("4GiB", 4 << 30),
        ("500MB", 500_000_000),
        ("1536 KiB", 3 << 19),
        ("7000000", 7_000_000),
        (1 << 20, 1 << 20),
    ],
)
def test_memory_is_written_with_units(text: Any, units: int) -> None:
    assert Claim.of({"memory": text}).memory == units


def test_a_claim_shows_what_was_written() -> None:
    claim = Claim.of({"memory": "4GiB", "gpu": 0.5, "licence": 2})
    assert str(claim) == "gpu=0.5, licence=2, memory=4GiB"
    assert claim.as_map() == {"gpu": 0.5, "licence": 2, "memory": 4 << 30}
    assert str(claim.without({"gpu"})) == "licence=2, memory=4GiB"
    assert (claim.cpu, Claim.of({"cpu": 3}).cpu) == (1, 3)


def test_delays_grow_and_jitter_stays_within_its_part() -> None:
    retry = Retry(9, delay_s=2.0, backoff=3.0, jitter=0.5)
    assert [retry.delay_before(count) for count in (1, 2, 3)] == [2.0, 6.0, 18.0]
    assert (retry.delay_before(1, 0.0), retry.delay_before(1, 1.0)) == (1.0, 3.0)
    assert Retry(1000, delay_s=5.0, backoff=1000.0).delay_before(1000) <= 48 * 3600


@pytest.mark.parametrize(
    "asked", [{"timeout_s": 1}, {"deadline_s": 1}, {"retry": 1}, {"resources": {"gpu": 1}}]
)
def test_what_is_for_one_task_alone_cannot_be_asked_for_in_a_batch(asked: dict[str, Any]) -> None:
    with pytest.raises(SchedulingError, match="batch"):
        members_of([Task(), Task()], Options(**asked))
    with pytest.raises(SchedulingError, match="batch"):
        members_of([Task(), Careful()], NO_OPTIONS)
    assert len(members_of([Task(), Task()], Options(priority=5)).terms) == 2


def test_no_package_has_to_be_there_for_the_types_of_options() -> None:
    program = (
        "import sys; sys.modules['typing_extensions'] = None\n"
        "from concurrent.apps import ApplicationNode, LocalCluster\n"
        "from concurrent.scheduling import ISystemMaster\n"
        "from concurrent.scheduling.tasks.inprocess import InProcessMaster\n"
        "from concurrent.scheduling.owner import systemhost\n"
        "help(LocalCluster.options)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "TermOptions" in done.stdout
