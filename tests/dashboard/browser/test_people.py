"""For everybody: by keyboard alone, in every colour scheme, on a phone, and as axe-core judges it."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.support.browser import Tab
from tests.support.dashboard import Dashboard

VIEWS = ("overview", "sensors", "tunables", "decisions", "flights", "crystal", "neural")
FEW = {"sensors": "amdgpu temp", "tunables": "policy0"}
SIZES = {"phone": (390, 844), "desktop": (1920, 1080)}


def axe() -> str:
    """The source of axe-core, from the package that brings it."""
    found = importlib.util.find_spec("selenium_axe_python")
    assert found is not None, "pip install selenium-axe-python"
    assert found.origin is not None
    return (Path(found.origin).parent / "axe-core" / "axe.min.js").read_text()


@pytest.mark.parametrize("theme", ["dark", "light", "contrast"])
def test_axe_finds_nothing_serious(tab: Tab, page: Dashboard, theme: str) -> None:
    tab.open(page, theme=theme)
    source = axe()
    for view in VIEWS:
        tab.view(view)
        tab.wait(f"document.querySelector('#panel-{view}').textContent.length > 30")
        if view in FEW:  # rows are alike, and axe looks at each
            tab.find(f"#panel-{view} input").send_keys(FEW[view])
            tab.wait(f"document.querySelectorAll('#panel-{view} tbody tr').length < 12")
        tab.driver.execute_script(source)
        found = tab.driver.execute_async_script(
            "axe.run(document, {resultTypes: ['violations']}).then(...Array(2).fill(arguments[0]))"
        )
        serious = [
            (one["id"], [node["target"] for node in one["nodes"]][:5])
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == [], view


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_sticks_out_at_any_width(tab: Tab, page: Dashboard, theme: str, size: str) -> None:
    """GAMESAD_SCREENSHOTS names a folder for what it looks like."""
    width, height = SIZES[size]
    tab.size(width, height)
    tab.open(page, theme=theme)
    for view in VIEWS:
        tab.view(view)
        tab.wait("document.documentElement.scrollWidth <= innerWidth")
        if folder := os.environ.get("GAMESAD_SCREENSHOTS"):
            tab.picture(Path(folder) / f"{view}-{theme}-{size}.png", width, height)


def test_it_is_usable_at_360_pixels(tab: Tab, page: Dashboard) -> None:
    tab.size(360, 640)
    tab.open(page)
    for view in VIEWS:
        tab.view(view)
        tab.wait("document.documentElement.scrollWidth <= 360")
    tab.view("overview")
    low = "one.getBoundingClientRect().height < 24"
    controls = "'.top button, .top select, nav a, .toolbar button'"
    narrow = tab.js(f"[...document.querySelectorAll({controls})].filter((one) => {low}).map((one) => one.textContent)")
    assert narrow == []


def test_colours_follow_the_system_until_chosen(tab: Tab, page: Dashboard) -> None:
    tab.open(page, theme="auto")
    ground = "getComputedStyle(document.body).backgroundColor"
    seen = {}
    for scheme in ("dark", "light"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        tab.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        tab.wait(f"document.documentElement.dataset.theme === '{scheme}'")
        seen[scheme] = tab.js(ground)
    features = [{"name": "prefers-contrast", "value": "more"}, {"name": "prefers-color-scheme", "value": "dark"}]
    tab.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    tab.wait(f"{ground} === 'rgb(0, 0, 0)'")
    tab.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    tab.js("(() => { const field = document.getElementById('theme'); field.value = 'dark'; "
           "field.dispatchEvent(new Event('change')); })()")  # fmt: skip
    assert tab.js(ground) == seen["dark"] != seen["light"]


def test_every_view_has_a_key(tab: Tab, page: Dashboard) -> None:
    tab.open(page)
    for key, view in enumerate(VIEWS, 1):
        tab.press(str(key))
        tab.wait(f"!document.getElementById('panel-{view}').hidden")


def test_the_help_tells_every_shortcut_and_closes(tab: Tab, page: Dashboard) -> None:
    tab.open(page)
    tab.press("?")
    tab.wait("document.querySelector('dialog[open] .keys') !== null")
    told = tab.js("[...document.querySelectorAll('dialog kbd')].map((one) => one.textContent)")
    documented = (Path(__file__).parents[3] / "docs" / "dashboard.md").read_text()
    for key in told:
        assert f"| `{key}` |" in documented, key
    assert re.findall(r"^\| `([^`]+)` \|", documented, re.MULTILINE) == told
    tab.press(Keys.ESCAPE)
    tab.wait("document.querySelector('dialog') === null")


def test_tabbing_reaches_everything_and_shows_where_it_is(tab: Tab, page: Dashboard) -> None:
    tab.open(page)
    tab.wait("document.querySelectorAll('.uplot').length === 5")
    reachable = tab.js(
        "(() => { const found = [...document.querySelectorAll('a[href], button, select, input, [tabindex=\"0\"]')]"
        ".filter((one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility());"
        "found.forEach((one, n) => (one.dataset.walk = n)); return found.length; })()"
    )
    seen, unmarked = set(), []
    tab.js("document.activeElement.blur()")
    for _ in range(reachable + 2):
        tab.press(Keys.TAB)
        walk, outline = tab.js(
            "(() => { const one = document.activeElement; const style = getComputedStyle(one);"
            "const marked = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;"
            "return [one.dataset.walk ?? null, marked]; })()"
        )
        if walk is not None:
            seen.add(walk)
            if not outline:
                unmarked.append(walk)
    assert len(seen) == reachable
    assert unmarked == []


def test_what_is_typed_into_a_search_is_no_shortcut(tab: Tab, page: Dashboard) -> None:
    tab.open(page, "sensors")
    tab.find("#panel-sensors input").send_keys("1 t?")
    assert not tab.js("document.getElementById('panel-sensors').hidden")
    assert tab.js("document.querySelector('dialog')") is None
