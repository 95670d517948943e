"""A section whose options have names of the user's choice."""

from __future__ import annotations

from pathlib import Path

import pytest

from concurrent.core.component import Component
from concurrent.core.config import describe
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError
from concurrent.core.items import SectionItem


class Shelf(Component):
    """Has jars."""

    jars = SectionItem("shelf", "How many jars of each kind.", example=("honey", 4))


def shelf(**overrides: str) -> Shelf:
    env = Environment(variables={}, overrides={f"shelf.{name}": text for name, text in overrides.items()})
    env.register(Shelf)
    return env[Shelf]


def test_each_name_has_its_number_and_without_any_there_is_none() -> None:
    assert shelf().jars == {}
    assert shelf(honey="2", Plum="3").jars == {"honey": 2, "plum": 3}


def test_a_file_may_have_names_with_dashes_and_no_name_is_unknown(tmp_path: Path) -> None:
    file = tmp_path / "a.ini"
    file.write_text("[shelf]\nred-plum = 7\n", encoding="utf-8")
    env = Environment(variables={}, config_files=[file])
    env.register(Shelf)
    assert env[Shelf].jars == {"red-plum": 7}
    assert env.config.check() == []


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", ""])
def test_a_number_that_is_not_allowed_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _ = shelf(honey=text).jars
    assert caught.value.thing == "shelf.honey"
    with pytest.raises(ConfigurationError):
        shelf(honey=text).config.check()


def test_the_example_is_documented_but_not_set() -> None:
    config = shelf(plum="1").config
    (item,) = (one for one in config.items() if one.section == "shelf")
    assert "#honey = 4" in describe([item]).splitlines()
    assert [(one.option, one.value) for one in config.explain() if one.section == "shelf"] == [("plum", "1")]
    assert config.get("shelf", "plum") == "1"
    with pytest.raises(ConfigurationError):
        config.get("shelf", "honey")
