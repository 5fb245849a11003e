"""What only shows when somebody looks: nothing stands still, nothing is cut off, no bar measures against a guess."""

from __future__ import annotations

import pytest

from tests.support.browser import Tab
from tests.support.dashboard import Dashboard

_BATCHED = """window.IntersectionObserver = class extends window.IntersectionObserver {
    constructor(work) {
        super((entries) => work([...entries.map((one) => ({ isIntersecting: !one.isIntersecting })), ...entries]));
    }
};"""
"""A busy browser tells several changes of sight at once, oldest first."""


def test_a_graph_that_went_and_came_back_between_two_looks_is_drawn(tab: Tab, page: Dashboard) -> None:
    script = tab.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _BATCHED})
    try:
        tab.open(page)
        tab.wait("gamesa.graphs.shown('temperature').past.points.t.length > 2")
        tab.wait("document.querySelector('#graph-temperature .chip .value').textContent.includes('°C')")
    finally:
        tab.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


@pytest.mark.parametrize("width", [1280, 1366, 1920])
def test_the_head_is_one_line_on_every_desktop(tab: Tab, page: Dashboard, width: int) -> None:
    tab.size(width, 800)
    tab.open(page)
    assert tab.js("document.querySelector('.top').offsetHeight") < 60


@pytest.mark.parametrize("size", [(1280, 720), (390, 844)])
def test_a_dialog_begins_with_its_heading(tab: Tab, page: Dashboard, size: tuple[int, int]) -> None:
    tab.size(*size)
    tab.open(page)
    tab.press("?")
    tab.wait("document.querySelector('dialog[open]')")
    assert tab.js("document.querySelector('dialog').scrollTop") == 0
    assert tab.js("document.querySelector('dialog h2').getBoundingClientRect().top") > 0
    tab.press("\ue00c")
    tab.wait("!document.querySelector('dialog')")


def test_power_is_measured_against_what_is_stated_and_else_against_nothing(tab: Tab, page: Dashboard) -> None:
    tab.open(page)
    found = {one["name"]: one for one in page.get("tunables")}["powercap.intel-rapl:0.constraint_0_power_limit_uw"]
    tab.wait("gamesa.model.tunables.length > 0 && document.querySelector('#card-performance .meter .fill').style.width")
    seen = tab.js("""[...document.querySelectorAll('#card-performance .meter:not([hidden])')].map((one) =>
        [one.querySelector('.meter-label').textContent, parseFloat(one.querySelector('.fill').style.width),
         parseFloat(one.querySelector('.value').textContent.replace('−', '-'))])""")
    by_label = {label: (width, watts) for label, width, watts in seen}
    width, watts = by_label["package-0"]
    assert width == pytest.approx(min(100, 100 * watts / (found["found"] / 1e6)), abs=0.2)
    assert by_label["BAT0 power"][0] == 0, "a battery states no most"


def test_what_acts_stays_in_reach_at_360_pixels(tab: Tab, page: Dashboard) -> None:
    tab.size(360, 740)
    tab.open(page, "sensors")
    tab.wait("document.querySelector('#panel-sensors td.actions button')")
    assert tab.js("document.querySelector('#panel-sensors td.actions button').getBoundingClientRect().right") <= 360


def test_what_is_unknown_of_the_policy_is_said_once(tab: Tab, page: Dashboard) -> None:
    tab.open(page, "neural")
    tab.wait("document.querySelector('#panel-neural dd')")
    assert "unknown (unknown" not in tab.text("#panel-neural")
