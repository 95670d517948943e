"""The page on observing a cluster and the dashboard in ``conf``: they name metrics and methods that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "observing.md").read_text(encoding="utf-8")
DASHBOARD = json.loads((ROOT / "conf" / "grafana.json").read_text(encoding="utf-8"))
SOURCE = (ROOT / "concurrent" / "apps" / "metrics.py").read_text(encoding="utf-8")
ROLES = (ROOT / "tests" / "data" / "roles.txt").read_text(encoding="utf-8")

METRIC = re.compile(r"\bconcurrent_\w+")


def test_the_page_has_each_metric_and_no_other() -> None:
    shown = re.findall(r"^\| `(concurrent_\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(shown) == sorted(re.findall(r'"(concurrent_\w+)"', SOURCE))


def test_the_dashboard_shows_metrics_that_there_are() -> None:
    known = set(METRIC.findall(SOURCE))
    expressions = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    assert len(expressions) > 10
    for expression in expressions:
        names = METRIC.findall(expression)
        assert names
        assert set(names) <= known, expression
    places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in DASHBOARD["panels"]]
    assert len(places) == len(set(places))


def test_the_page_has_methods_that_observers_may_call() -> None:
    shown = re.findall(r"^\| `(\w+)\([^)]*\)` \|", PAGE, re.MULTILINE)
    assert len(shown) > 8
    for name in shown:
        row = re.search(rf"^master JSON +{name} +yes +yes +(yes|-)", ROLES, re.MULTILINE)
        assert row, name
        assert row[1] == ("-" if name in ("output", "outputs") else "yes"), name
