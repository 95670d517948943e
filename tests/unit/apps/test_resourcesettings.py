"""What a configuration says of resources."""

from __future__ import annotations

import pytest

from concurrent.apps.resourcesettings import ResourceSettings, WeightSettings
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError


def settings(**overrides: str) -> ResourceSettings:
    env = Environment(
        variables={}, overrides={key.replace("_", ".", 1): value for key, value in overrides.items()}
    )
    return env[ResourceSettings]


def test_tokens_are_counted_in_thousandths() -> None:
    assert settings().tokens() == {}
    assert settings(limits_database="4", limits_licence="1").tokens() == {"database": 4000, "licence": 1000}


@pytest.mark.parametrize("name", ["cpu", "memory", "gpu", "9lives", "a b"])
def test_what_slaves_have_of_their_own_is_no_token(name: str) -> None:
    env = Environment(variables={}, overrides={f"limits.{name}": "1"})
    with pytest.raises(ConfigurationError) as caught:
        env[ResourceSettings].tokens()
    assert caught.value.thing == f"limits.{name}"


def test_tasks_wait_for_what_no_slave_has_unless_they_shall_fail() -> None:
    assert settings().infeasible == "wait"
    assert settings(scheduling_infeasible="Fail").infeasible == "fail"


@pytest.mark.parametrize("weight", ["0", "101", "many"])
def test_a_weight_is_a_number_within_bounds(weight: str) -> None:
    env = Environment(variables={}, overrides={"application.weight": weight})
    with pytest.raises(ConfigurationError):
        _ = env[WeightSettings].weight
