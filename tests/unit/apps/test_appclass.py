"""Which application a name stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from concurrent.apps.appclass import application_class
from concurrent.core.environment import Environment
from concurrent.core.errors import PluginError


def test_a_file_that_is_named_like_a_module_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "sell.py").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PluginError, match=r"there is no application 'shop.sell'. Write shop/sell.py. Give"):
        application_class(Environment(variables={}), "shop.sell")
