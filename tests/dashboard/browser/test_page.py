"""What somebody sees who opens the page: this machine, live, in every view; what is unknown is said to be."""

from __future__ import annotations

import re

import pytest

from tests.support.browser import Tab
from tests.support.dashboard import Dashboard

NUMBER = re.compile(r"\d")


def cells(tab: Tab, view: str) -> list[list[str]]:
    """The texts of the rows of a view's first table."""
    return list(
        tab.js(
            "[...document.querySelector(arguments[0]).tBodies[0].rows].map((row) => "
            "[...row.cells].map((cell) => cell.textContent))",
            f"#panel-{view} table",
        )
    )


@pytest.fixture
def opened(tab: Tab, page: Dashboard) -> Tab:
    tab.open(page)
    return tab


def test_it_names_the_machine_and_says_that_it_is_simulated(opened: Tab) -> None:
    opened.wait_text("#machine", "simulated laptop / steady-game")
    assert opened.js("document.querySelector('#simulated').checkVisibility()")


def test_the_token_leaves_the_address_at_once(opened: Tab, page: Dashboard) -> None:
    assert page.token
    assert page.token not in opened.driver.current_url
    assert page.token not in opened.js("document.documentElement.outerHTML")


def test_the_cards_say_what_the_daemon_says(opened: Tab, page: Dashboard) -> None:
    opened.wait(r"/^\d+\.\d °C$/.test(document.querySelector('#card-thermal .hero').textContent)")
    status = page.get("status")
    labels = {one["Label"] for one in status["Temperatures"]}
    assert opened.text("#card-thermal .hero-label") in labels
    opened.wait_text("#card-thermal .lead", "its limit of")
    opened.wait_text("#card-resources .meter .value", "%")
    opened.wait_text("#card-performance", " GHz of 4.80 GHz")
    opened.wait_text("#card-performance", " ms")
    opened.wait_text("#card-decision .action", "Nothing is changed")
    opened.wait_text("#card-decision [aria-pressed=true]", "balanced")
    opened.wait_text("#card-decision", "decided by a rule of the controller")


def test_numbers_move_with_the_ticks(opened: Tab) -> None:
    first = opened.js("gamesa.model.tick.n")
    opened.wait(f"gamesa.model.tick.n >= {first} + 2")
    opened.wait("gamesa.model.store.size >= 2")


def test_unknown_is_said_and_no_nought(opened: Tab) -> None:
    """The simulated laptop has no sensor for how busy its GPU is, and no game shows frames."""
    assert opened.js("gamesa.model.sensors.get('gpu.utilization')") is None
    opened.wait_text("#card-resources .meter[data-unknown] .value", "unknown")
    opened.wait_text("#card-performance .line .value", "unknown")
    opened.wait_text("#graph-frames .empty", "unknown: ")
    assert "0 fps" not in opened.text("#card-performance")


def test_every_graph_has_lines_and_a_legend_with_numbers(opened: Tab) -> None:
    for graph in ("temperature", "utilization", "power", "frequency", "pressure"):
        opened.js("document.querySelector(arguments[0]).scrollIntoView()", f"#graph-{graph}")
        opened.wait(
            f"[...document.querySelectorAll('#graph-{graph} .chip .value')].some((one) => /\\d/.test(one.textContent))"
        )
        opened.wait(f"document.querySelector('#graph-{graph} canvas').width > 100")
    opened.js("document.querySelector('#graph-cores').scrollIntoView()")
    opened.wait(
        "(() => { const canvas = document.querySelector('#graph-cores canvas'); "
        "if (canvas.width < 100) return false; "
        "const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height); "
        "return data.some((one) => one > 0); })()"
    )


def test_sensors_shows_every_sensor_and_finds_one(tab: Tab, page: Dashboard) -> None:
    tab.open(page, "sensors")
    everything = page.get("sensors")
    tab.wait(f"document.querySelectorAll('#panel-sensors tbody tr').length >= {len(everything) - 2}")
    tab.press("/")
    tab.find("#panel-sensors input").send_keys("nvme composite")
    tab.wait("document.querySelectorAll('#panel-sensors tbody tr').length === 1")
    [[name, value, limit, stated, age, state, *_]] = cells(tab, "sensors")
    assert name.startswith("nvme Composite")
    assert NUMBER.search(value)
    assert limit.endswith("°C")
    assert "critical" in stated
    assert age in ("now", "1 s", "2 s")
    assert state == "ok"


def test_tunables_shows_value_writer_and_baseline(tab: Tab, page: Dashboard) -> None:
    tab.open(page, "tunables")
    tab.wait("document.querySelectorAll('#panel-tunables tbody tr').length > 10")
    [found] = [row for row in cells(tab, "tunables") if row[0].endswith("cpufreq.policy0.scaling_max_freq")]
    assert found[1:4] == ["4.80 GHz", "4.80 GHz", "as found"]


def test_decisions_are_listed_and_filtered(tab: Tab, page: Dashboard) -> None:
    tab.open(page, "decisions")
    tab.wait_text("#panel-decisions tbody", "Nothing is changed")
    tab.js("(() => { const field = document.querySelector('#panel-decisions select'); field.value = 'conservative'; "
           "field.dispatchEvent(new Event('change')); })()")  # fmt: skip
    tab.wait_text("#panel-decisions tbody", "No decision fits.")


def test_crystal_core_shows_tiers_and_what_was_done(tab: Tab, page: Dashboard) -> None:
    tab.open(page, "crystal")
    tab.wait_text("#panel-crystal .legend-line", "free ")
    for told in ("Fragmentation", "Hit rate", "Largest free piece"):
        tab.wait_text("#panel-crystal .fact-columns", told)


def test_neural_shows_what_is_learnt_or_says_why_not(tab: Tab, page: Dashboard) -> None:
    told = page.get("neural")
    tab.open(page, "neural")
    tab.wait_text("#panel-neural", str(told["State"]))


def test_flights_says_what_will_be_there(tab: Tab, page: Dashboard) -> None:
    tab.open(page, "flights")
    tab.wait("document.querySelector('#panel-flights tbody').rows.length > 0")


def test_every_module_is_fetched_ahead(page: Dashboard) -> None:
    """The list in index.html is that of the files: one left out is found only after those that import it."""
    listed = set(re.findall(r'modulepreload" href="([^"]+)"', page.ask("/").body.decode()))
    from gamesactl.dashboard import pages  # noqa: PLC0415 - it needs aiohttp, which the fixtures have checked

    modules = {path for path in pages.files() if path.endswith(".js") and not path.startswith("vendor/")}
    assert listed == modules - {"app.js", "theme.js"}
