"""A person with a browser: opens pages as that person, reads, clicks and types."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from typing import Any, Final

from selenium.webdriver import ActionChains, Chrome, ChromeOptions, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from concurrent.apps.api import parse_address
from tests.local import fetch
from tests.system.cluster import wait_until

__all__ = ["BROWSER", "DRIVER", "Chrome", "Keys", "Person", "call", "open_browser"]

BROWSER: Final = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER: Final = shutil.which("chromedriver")
WIDTH, HEIGHT = 1280, 900
PHONE: Final = (360, 740)

SWITCHES: Final = (
    "--headless=new",
    "--no-sandbox",  # a browser of root needs that; it sees pages of ours only
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)


@contextmanager
def open_browser(*, runs_scripts: bool = True) -> Iterator[Chrome]:
    """Have a browser of its own for a while."""
    options = ChromeOptions()
    options.binary_location = BROWSER or ""
    for switch in SWITCHES:
        options.add_argument(switch)
    if not runs_scripts:
        javascript = "profile.managed_default_content_settings.javascript"
        options.add_experimental_option("prefs", {javascript: 2})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options=options, service=Service(DRIVER))
    try:
        browser.set_window_size(WIDTH, HEIGHT)
        yield browser
    finally:
        browser.quit()


def call(address: str, method: str, params: Mapping[str, Any] | None = None) -> Any:
    """Call a method of a node as its own user."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
    answer = json.loads(
        fetch(address, "/api/1", json.dumps(body).encode(), {"Content-Type": "application/json"}).body
    )
    assert "error" not in answer, answer
    return answer["result"]


class Person:
    """Who looks at the pages of a node.

    :param address: that of its JSON API.
    """

    def __init__(self, browser: Chrome, address: str) -> None:
        self.browser = browser
        self.address = address

    def log_in(self) -> None:
        """Do what ``concurrent open`` does, and confirm it."""
        host = parse_address(self.address, "address")
        code = call(self.address, "login_code")
        self.browser.get(f"http://localhost:{host.port}/login?code={code}")
        self.browser.find_element(By.TAG_NAME, "button").click()
        wait_until(lambda: self.has("#main"), "the first page")

    def open(self, path: str) -> None:
        """Go to a page."""
        host = parse_address(self.address, "address")
        self.browser.get(f"http://localhost:{host.port}{path}")

    def has(self, selector: str) -> bool:
        """Tell whether something is there."""
        return bool(self.browser.find_elements(By.CSS_SELECTOR, selector))

    def find(self, selector: str) -> WebElement:
        """Return what is there."""
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str = "body") -> str:
        """Return what can be read."""
        return str(
            self.browser.execute_script("return document.querySelector(arguments[0]).innerText", selector)
        )

    def reads(self, text: str, selector: str = "body") -> None:
        """Wait until something can be read, without loading the page again."""
        wait_until(
            lambda: self.has(selector) and text.casefold() in self.text(selector).casefold(),
            f"{text!r} in {selector}",
            lambda: self.text("body"),
        )

    def show_on_phone(self) -> None:
        """Look at pages as on a phone."""
        width, height = PHONE
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def show_at_desk(self) -> None:
        """Look at pages as on a large screen again, in daylight."""
        self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def show_in_the_dark(self) -> None:
        """Look at pages with a system that wants dark ones."""
        features = [{"name": "prefers-color-scheme", "value": "dark"}]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.browser).send_keys(*keys).perform()

    def focused(self) -> str:
        """Return the text or the name of what has the focus."""
        script = "let e = document.activeElement; return e.getAttribute('aria-label') || e.textContent || e.id"
        return str(self.browser.execute_script(script))

    def tab_to(self, text: str, steps_max: int = 80) -> None:
        """Go with the tabulator key to what has a text or name."""
        for _ in range(steps_max):
            if self.focused().strip() == text:
                return
            self.press(Keys.TAB)
        raise AssertionError(f"{text!r} cannot be reached with the tabulator key")

    def serious_findings(self) -> list[str]:
        """Return what axe finds on the page that keeps people out."""
        source = resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
        self.browser.execute_script(source)
        found = self.browser.execute_async_script("axe.run().then(arguments[0])")
        return [
            f"{one['id']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]

    def complaints(self) -> list[str]:
        """Return what the browser says is wrong with the pages, such as what their policy forbids."""
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]
