"""A headless Chromium (Debian's, by chromedriver) at a dashboard's page, as somebody who looks, clicks and types."""

from __future__ import annotations

import base64
import glob
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webelement import WebElement

from tests.support.dashboard import Dashboard

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
    "--host-resolver-rules=MAP rebound.example 127.0.0.1, MAP box.example 127.0.0.1",
    "--disable-background-networking", "--no-first-run",
)  # fmt: skip
_PATIENCE_S = float(os.environ.get("GAMESAD_BROWSER_PATIENCE", "60"))
"""Only ends a test that hangs."""
_TICKS = "gamesa.model.connection.open && gamesa.model.tick !== null && gamesa.model.sensors.size > 0"


def missing() -> str:
    """Why there is no browser here, or an empty text."""
    absent = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"no {' and no '.join(absent)}; apt install chromium chromium-driver" if absent else ""


class Tab:
    """One page. ``js`` is an expression; what is waited for may take as long as a busy machine needs."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, page: Dashboard, view: str = "overview", *, theme: str = "dark", token: str | None = None) -> None:
        """Anew, until ticks come. Without its token where that is empty."""
        given = page.token if token is None else token
        if not given:
            self.show(page.url)
            self.js("sessionStorage.clear()")
        self.show(page.url + (f"#token={given}" if given else ""))
        self.wait(f"typeof gamesa === 'object' && {_TICKS}")
        self.js("gamesaTheme.set(arguments[0])", theme)
        if view != "overview":
            self.view(view)

    def show(self, address: str) -> None:
        self.driver.get("about:blank")  # else a new fragment is no new page
        self.driver.get(address)

    def view(self, name: str) -> None:
        self.js(f"location.hash = '{name}'")
        self.wait(f"!document.getElementById('panel-{name}').hidden")

    def size(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def js(self, expression: str, *arguments: object) -> Any:
        return self.driver.execute_script(f"return ({expression})", *arguments)

    def wait(self, expression: str) -> None:
        _eventually(lambda: bool(self.js(expression)), expression)

    def find(self, css: str) -> WebElement:
        return self.driver.find_element("css selector", css)

    def text(self, css: str) -> str:
        """As it is on the page, also where it is scrolled out of sight; empty where there is none such."""
        return str(self.js("document.querySelector(arguments[0])?.textContent ?? ''", css))

    def wait_text(self, css: str, wanted: str) -> None:
        _eventually(lambda: wanted in self.text(css), lambda: f"{wanted!r} in {css}, which has {self.text(css)!r}")

    def click(self, css: str) -> None:
        """Once it is there."""
        self.wait(f"document.querySelector({json.dumps(css)}) !== null")
        element = self.find(css)
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def press_button(self, within: str, label: str) -> None:
        """As a script does, wherever on the page it is."""
        self.js(
            "[...document.querySelectorAll(arguments[0])].find((one) => one.textContent === arguments[1]).click()",
            f"{within} button",
            label,
        )

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def said(self) -> list[str]:
        """What the console has held against the page since the last time."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]

    def metrics(self) -> dict[str, float]:
        told = self.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return {row["name"]: row["value"] for row in told}

    def heap(self) -> float:
        """Bytes of JavaScript that are in use after collecting what is not."""
        for _ in range(2):
            self.driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        return self.metrics()["JSHeapUsedSize"]

    def cpu_s(self) -> float:
        """Of all processes of the browser together."""
        return sum(_cpu_s(pid) for pid in _below(self.driver.service.process.pid))

    def picture(self, path: Path, width: int, height: int) -> None:
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        told = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(told["data"]))


@contextmanager
def browser(downloads: Path) -> Iterator[Tab]:
    """Ended on leaving. Files that a page saves go to ``downloads``."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in _FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    driver = webdriver.Chrome(options=options, service=Service(str(shutil.which("chromedriver"))))
    try:
        driver.execute_cdp_cmd("Performance.enable", {})
        driver.execute_cdp_cmd("HeapProfiler.enable", {})
        behaviour = {"behavior": "allow", "downloadPath": str(downloads)}
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
        driver.set_script_timeout(120)
        yield Tab(driver)
    finally:
        driver.quit()


def _eventually(true: Callable[[], bool], what: str | Callable[[], str]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {_PATIENCE_S:.0f} s: {what if isinstance(what, str) else what()}")
        time.sleep(0.03)


def _below(pid: int) -> Iterator[int]:
    """Every process that this one started, directly or not."""
    for children in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            with open(children) as file:
                found = file.read().split()
        except OSError:
            continue
        for child in map(int, found):
            yield child
            yield from _below(child)


def _cpu_s(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
