"""Integrations whose library is not installed say what to install."""

from __future__ import annotations

import importlib
import sys

import pytest


@pytest.mark.parametrize(("library", "imported"), [("joblib", "joblib.parallel"), ("dask", "dask.utils")])
def test_an_integration_without_its_library_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, library: str, imported: str
) -> None:
    module = f"concurrent.apps.integrations.{library}"
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, imported, None)  # as if it were not there
    with pytest.raises(ImportError) as caught:
        importlib.import_module(module)
    assert f'pip install "concurrent-framework[{library}]"' in str(caught.value)
    assert caught.value.name == imported
