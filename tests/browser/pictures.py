"""Takes the pictures of pages that the documentation shows, and writes them to ``docs/pictures``.

``python -m tests.browser.pictures``
    those of a master: a small cluster runs a job that resizes photos, some of which are broken.
``python -m tests.browser.pictures site``
    those of the site of the documentation, which ``python dev.py site`` has made.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from PIL import Image

from concurrent.apps import ClusterExecutor
from tests.browser.viewing import HEIGHT, WIDTH, Person, open_browser
from tests.system.cluster import Cluster, wait_until

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "docs" / "pictures"
SITE: Final = ROOT / "build" / "site" / "docs"
COLOURS: Final = 255
"""A page has few; so a picture is small."""

SLAVES: Final = {"rack-1": 4, "rack-2": 4, "desk": 2}
WATCHED_S: Final = 45.0


def load_photo(number: int) -> int:
    """Read a photo; one in twelve is cut off."""
    time.sleep(random.uniform(0.02, 0.4))
    if number % 12 == 5:
        print(f"photo-{number:04}.jpg has", 100 * number % 977, "bytes")
        raise EOFError(f"photo-{number:04}.jpg is cut off")
    return number


def resize(number: int) -> int:
    """Make a photo smaller; that takes a processor."""
    end = time.monotonic() + random.uniform(0.1, 1.2)
    while time.monotonic() < end:
        time.sleep(0.01)
    if number % 50 == 7:
        raise ZeroDivisionError("a photo of no width")
    return number


def train(hours: float) -> float:
    """Take long."""
    time.sleep(hours * 3600)
    return hours


@contextmanager
def photo_cluster() -> Iterator[str]:
    """Have a cluster at work; returns the address of its master."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cp"))
        for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
            os.environ[name] = os.path.join(folder, name[4].lower())
            os.mkdir(os.environ[name], 0o700)
        cluster = Cluster(Path(folder))
        stack.callback(cluster.close)
        kept = (f"journal.folder={folder}/journal", "journal.durability=process")
        cluster.master(options=kept)
        for name, workers in SLAVES.items():
            cluster.slave("--name", name, workers=workers)
        job: Any = stack.enter_context(ClusterExecutor(cluster.address, job="photos", own_modules=["tests"]))
        wait_until(lambda: len(cluster.status()["tasks"]["slaves"]) == len(SLAVES), "the slaves join")
        for hours in (0.1, 0.2):
            job.submit(train, hours)
        for number in range(2400):
            job.submit(load_photo if number % 3 else resize, number)
        time.sleep(WATCHED_S)
        yield cluster.address
        stack.callback(job.shutdown, wait=False, cancel_futures=True)


def save(person: Person, name: str, height: int = HEIGHT) -> None:
    """Save what is seen."""
    person.browser.set_window_size(WIDTH, height)
    picture = Image.open(BytesIO(person.browser.get_screenshot_as_png())).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


def pictures_of(person: Person) -> dict[str, Callable[[], None]]:
    """Return what leads to each picture, by its name."""

    def task() -> None:
        person.open("/failures")
        person.find("details.group dd .many a[href^='/task']").click()

    return {
        "now": lambda: person.open("/"),
        "failures": lambda: person.open("/failures"),
        "workers": lambda: person.open("/workers"),
        "timeline": lambda: person.open("/timeline"),
        "task": task,
    }


def take_those_of_the_site() -> None:
    """Take the first page, a page of the reference, and one as it is on a phone at night."""
    with open_browser() as browser:
        person = Person(browser, SITE.as_uri())
        for name, page in {"site": "index", "site-reference": "reference/apps"}.items():
            browser.get(f"{person.address}/{page}.html")
            save(person, name)
        person.show_in_the_dark()
        person.show_on_phone()
        browser.get(f"{person.address}/first-day.html")
        save(person, "site-phone")


def take_those_of_a_master() -> None:
    """Take its pages, and the first one as it is on a phone at night."""
    with photo_cluster() as address, open_browser() as browser:
        person = Person(browser, address)
        person.log_in()
        for name, go in pictures_of(person).items():
            go()
            time.sleep(2.5)
            save(person, name)
        person.show_in_the_dark()
        person.show_on_phone()
        person.open("/")
        time.sleep(2.5)
        save(person, "phone")


def main(arguments: list[str]) -> None:
    """Take the pictures of the site or of a master."""
    FOLDER.mkdir(exist_ok=True)
    if arguments == ["site"]:
        take_those_of_the_site()
    else:
        take_those_of_a_master()
    print(*(f"{path.name}: {path.stat().st_size:,} bytes" for path in sorted(FOLDER.glob("*.png"))), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
