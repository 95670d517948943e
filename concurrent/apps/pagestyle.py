"""How the page of a node looks: which styles browsers may take is said at the start, the page comes later."""

from __future__ import annotations

from typing import Final

__all__ = ["STYLE"]

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d232b; --paper: #fbfbfa; --soft: #5d6875; --line: #dcdfe3;
  --bar: #2f6f9f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ea; --paper: #15191e; --soft: #98a3af;
  --line: #333a42; --bar: #6fb0dd; } }
body { margin: 0 auto; padding: 1rem; max-width: 64rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; color: var(--soft); } button { font: inherit; } a { color: var(--bar); }
dl { display: flex; flex-wrap: wrap; gap: .75rem 2rem; margin: 1.5rem 0; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-size: 1.25rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem 1.5rem .35rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { color: var(--soft); font-weight: 500; } .number { text-align: right; font-variant-numeric: tabular-nums; }
progress { width: 100%; accent-color: var(--bar); }
.problem { color: #b3261e; } @media (prefers-color-scheme: dark) { .problem { color: #f2897f; } }
"""
