"""The pages of nodes for people.

A view (``nowview.py``, ``workersview.py`` and so on) makes of what a node says the elements of a page; they are
plain data (``elements.py``). ``PageDesk`` answers them as HTML, for the first state and for browsers without
scripts, and as JSON at the method ``page``. The scripts in ``assets/`` ask for that again and again, and change
what is shown where it differs.

Runs in threads of the JSON API, owns nothing but the scripts and styles that it has read, and imports what
programs may ask too: a page shows nothing that the methods of the node do not tell.
"""

from __future__ import annotations

__all__: list[str] = []
