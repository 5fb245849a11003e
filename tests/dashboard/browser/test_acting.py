"""Doing something from the page: offered where it may be done, refused where not, and each told in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Tab
from tests.support.daemon import Daemon
from tests.support.dashboard import Dashboard, dashboard
from tests.support.private_bus import PrivateBus

MAX_FREQ = "cpufreq.policy0.scaling_max_freq"
CPU = "hwmon.coretemp-isa-0000.temp1"
QUIET = "#card-decision [data-profile=quiet]"


@pytest.fixture
def as_found(page: Dashboard) -> Iterator[Dashboard]:
    """The machine is left as it was."""
    yield page
    page.post(f"limit/{CPU}", None, method="DELETE")
    page.post("tunable/reset", {"name": MAX_FREQ})
    for hold in page.get("status")["Holds"]:
        page.post(f"hold/{hold['Cookie']}", None, method="DELETE")
    page.post("profile", {"name": "balanced"})


def tunable(page: Dashboard) -> dict[str, object]:
    [found] = [one for one in page.get("tunables") if one["name"] == MAX_FREQ]
    return dict(found)


def test_a_profile_is_switched_and_told(tab: Tab, as_found: Dashboard) -> None:
    tab.open(as_found)
    tab.click(QUIET)
    tab.wait_text("#notes .toast.done", "quiet")
    tab.wait_text("#card-decision [aria-pressed=true]", "quiet")
    assert as_found.get("status")["ActiveProfile"] == "quiet"
    tab.wait("gamesa.model.events.some((event) => event.kind === 'profile')")


def test_a_profile_is_held_and_released(tab: Tab, as_found: Dashboard) -> None:
    tab.open(as_found)
    tab.press_button("#card-decision", "Hold for an hour")
    tab.wait_text("#card-decision .holds", "held from the dashboard")
    [hold] = as_found.get("status")["Holds"]
    assert hold["Profile"] == "balanced"
    tab.click("#card-decision .holds button")
    tab.wait("document.querySelector('#card-decision .holds').children.length === 0")
    assert as_found.get("status")["Holds"] == []


def test_what_polkit_refuses_is_told_and_not_done(tab: Tab, as_found: Dashboard, expected: list[str]) -> None:
    """Pausing is for administrators: on this bus nobody can answer polkit's question."""
    expected.append("/api/v1/pause")
    tab.open(as_found)
    tab.press_button("#card-decision", "Pause")
    tab.wait("document.querySelector('#notes .toast.failed') !== null")
    assert "PausedUntil" not in as_found.get("status")
    tab.click("#notes .toast button")
    tab.wait("document.querySelector('#notes .toast') === null")


def test_a_limit_of_ones_own_is_set_and_taken_back(tab: Tab, as_found: Dashboard) -> None:
    tab.open(as_found, "sensors")
    tab.find("#panel-sensors input").send_keys("cpu package coretemp")
    tab.wait("document.querySelectorAll('#panel-sensors tbody tr').length === 1")
    tab.click("#panel-sensors .actions button")
    field = tab.find("dialog input")
    field.clear()
    field.send_keys("85")
    tab.click("dialog .primary")
    tab.wait("!document.querySelector('dialog')")
    assert as_found.get("status")["Limits"] == {CPU: 85.0}
    tab.wait_text("#panel-sensors tbody tr td:nth-child(3)", "85.0 °C")
    tab.click("#panel-sensors .actions button")
    tab.wait_text("dialog", "Your limit is 85 °C.")
    tab.js(
        "[...document.querySelectorAll('dialog button')].find((one) => one.textContent === 'Take mine back').click()"
    )
    tab.wait("!document.querySelector('dialog')")
    assert as_found.get("status")["Limits"] == {}


def set_by_hand(tab: Tab, page: Dashboard) -> None:
    tab.open(page, "tunables")
    tab.find("#panel-tunables input").send_keys(MAX_FREQ)
    tab.wait("document.querySelectorAll('#panel-tunables tbody tr').length === 1")
    tab.click("#panel-tunables .actions button")
    field = tab.find("dialog input")
    field.clear()
    field.send_keys("3000000")
    tab.click("dialog .primary")
    tab.wait_text("#countdowns .countdown", "and goes back in")
    assert tunable(page)["value"] == 3000000


def test_a_tunable_set_by_hand_is_kept_when_confirmed(tab: Tab, as_found: Dashboard) -> None:
    set_by_hand(tab, as_found)
    assert tab.js("document.activeElement.textContent") == "Keep it"
    tab.click("#countdowns .primary")
    tab.wait("!document.querySelector('#countdowns .countdown')")
    assert tunable(as_found).get("until") is None
    assert tunable(as_found)["override"] == 3000000
    tab.wait_text("#panel-tunables tbody", "gamesad; set by hand")


def test_a_tunable_set_by_hand_goes_back_when_not_wanted(tab: Tab, as_found: Dashboard) -> None:
    set_by_hand(tab, as_found)
    tab.click("#countdowns button:not(.primary)")
    tab.wait("!document.querySelector('#countdowns .countdown')")
    assert tunable(as_found)["value"] == tunable(as_found)["found"]


def test_what_the_server_refuses_is_told_and_changes_nothing(
    tab: Tab, as_found: Dashboard, expected: list[str]
) -> None:
    """A token from another start: the page cannot know before it asks."""
    expected.append("403")
    tab.open(as_found, token="of-another-start")
    tab.click(QUIET)
    tab.wait_text("#notes .toast.failed", "open the address that gamesactl dashboard printed")
    assert as_found.get("status")["ActiveProfile"] == "balanced"


def test_without_the_token_nothing_is_offered(tab: Tab, page: Dashboard) -> None:
    tab.open(page, token="")
    tab.wait_text("#card-decision .why-not", "opened without its token")
    assert tab.js("[...document.querySelectorAll('.acts')].every((one) => one.disabled)")


def test_a_user_whom_polkit_refuses_is_offered_nothing_and_told_why(
    tab: Tab, bus: PrivateBus, place: Path, daemon: Daemon, tmp_path: Path
) -> None:
    with dashboard(tmp_path, shm=place / "shm", bus=bus, user="stranger") as found:
        tab.open(found)
        why = found.get("hello")["why_read_only"]
        tab.wait_text("#card-decision .why-not", f"Read-only: {why}")
        assert tab.js("document.querySelector(arguments[0]).disabled", QUIET)
        assert why in tab.js("document.querySelector(arguments[0]).title", QUIET)
        tab.show("about:blank")


def test_a_dashboard_that_only_shows_says_so(
    tab: Tab, bus: PrivateBus, place: Path, daemon: Daemon, tmp_path: Path
) -> None:
    with dashboard(tmp_path, "--read-only", shm=place / "shm", bus=bus) as found:
        tab.open(found)
        tab.wait_text("#card-decision .why-not", "--read-only")
        tab.show("about:blank")
