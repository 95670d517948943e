"""What a slave finds of the modules that programs use, and which tasks it keeps or hands back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import concurrent.scheduling.slave.fitting as fitting_module
from concurrent.scheduling.slave.fitting import AGAIN_S, NAMED_MAX, Fit, Fitting, Instead, Use, look_for

OWNER = 7


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "grid_tools").mkdir()
    (tmp_path / "grid_tools" / "__init__.py").write_text("raise RuntimeError('nobody shall import it')")
    (tmp_path / "grid_tools-1.26.0.dist-info").mkdir()
    (tmp_path / "bare_tools.py").write_text("")
    (tmp_path / "renamed-1.0.dist-info").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("use", "missing", "others"),
    [
        (("grid_tools", "grid_tools", "1.26.0"), [], []),
        (("grid_tools", "Grid-Tools", "2.1.0"), [], [["grid_tools", "1.26.0", "2.1.0"]]),
        (("grid_tools", "", ""), [], []),
        (("grid_tools", "grid_of_others", "2.1.0"), [], []),  # the module is there; who knows its version
        (("bare_tools", "", ""), [], []),
        (("hooked", "renamed", "1.0"), [], []),  # it is found by other ways than files
        (("lost_tools", "lost_tools", "1.0"), ["lost_tools"], []),
    ],
)
def test_a_module_is_looked_for_and_not_imported(
    site: Path, use: tuple[str, str, str], missing: list[str], others: list[list[str]]
) -> None:
    assert look_for([use], [str(site)]) == (missing, others)
    assert "grid_tools" not in sys.modules


def test_what_is_in_a_package_is_not_looked_for_since_that_would_import_it(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(site))
    for folders in ((), (str(site),)):
        assert look_for([("grid_tools.inner", "", "")], folders).missing == ["grid_tools.inner"]
    assert "grid_tools" not in sys.modules


def test_without_folders_a_module_is_found_as_this_interpreter_does(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uses = [("bare_tools", "", ""), ("pytest", "", "")]
    assert look_for(uses, ()).missing == ["bare_tools"]
    monkeypatch.syspath_prepend(str(site))
    assert look_for(uses, ()).missing == []


def test_what_is_told_later_is_looked_for_together_with_what_was_told_before(site: Path) -> None:
    fitting = Fitting()
    assert fitting.look(OWNER, [("lost_tools", "", "")], [str(site)], waits=False).missing == ["lost_tools"]
    assert fitting.look(OWNER, [("bare_tools", "", "")], [str(site)], waits=False).missing == ["lost_tools"]
    assert not fitting.instead_by_owner


def test_what_is_told_bit_by_bit_is_not_looked_for_each_time(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand modules that came one by one would have a slave look half a million times."""
    looked: list[int] = []

    def look(uses: list[Use], folders: Sequence[str]) -> Fit:
        looked.append(len(uses))
        return look_for(uses, folders)

    monkeypatch.setattr(fitting_module, "look_for", look)
    now = [0.0]
    fitting = Fitting(lambda: now[0])
    for number in range(NAMED_MAX + 1):
        fit = fitting.look(OWNER, [(f"lost{number}", "", "")], [str(site)], waits=False)
    assert set(looked) == {1}
    assert len(fit.missing) == NAMED_MAX
    (site / "lost0.py").write_text("")
    now[0] = AGAIN_S
    fit = fitting.look(OWNER, [("bare_tools", "", "")], [str(site)], waits=False)
    assert looked[-1] == NAMED_MAX + 2
    assert fit.missing == [f"lost{number}" for number in range(1, NAMED_MAX + 1)]


def test_tasks_wait_for_a_word_of_the_master_where_slaves_are_to_be_spared(site: Path) -> None:
    fitting = Fitting()
    fitting.look(OWNER, [("bare_tools", "", "")], [str(site)], waits=True)
    assert not fitting.instead_by_owner
    fitting.look(OWNER, [("lost_tools", "", "")], [str(site)], waits=True)
    assert fitting.instead_by_owner == {OWNER: Instead.WAIT}
    fitting.spare(OWNER, "slave-other")
    assert fitting.instead_by_owner == {OWNER: Instead.RETURN}
    fitting.look(OWNER, [("more_tools", "", "")], [str(site)], waits=True)
    assert fitting.instead_by_owner == {OWNER: Instead.RETURN}
    fitting.spare(OWNER, "")
    assert not fitting.instead_by_owner


def test_nothing_is_kept_of_an_owner_or_a_master_that_has_left(site: Path) -> None:
    fitting = Fitting()
    for end in (lambda: fitting.forget(OWNER), fitting.left):
        fitting.look(OWNER, [("lost_tools", "", "")], [str(site)], waits=True)
        end()
        assert not fitting.instead_by_owner
        assert fitting.look(OWNER, [("bare_tools", "", "")], [str(site)], waits=True).missing == []
