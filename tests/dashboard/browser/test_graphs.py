"""Graphs: the present and the past, zoom and pan, one readout, markers, tables, what is saved, and replays."""

from __future__ import annotations

import csv
import json
import struct
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains

from tests.support.browser import Tab
from tests.support.client import eventually
from tests.support.dashboard import Dashboard

PLOT = "#graph-temperature .u-over"
RANGE = "gamesa.view.range(gamesa.model.store.last)"


@pytest.fixture
def graphs(tab: Tab, page: Dashboard) -> Tab:
    tab.open(page)
    tab.wait(f"document.querySelector('{PLOT}') !== null")
    return tab


def saved(downloads: Path, ending: str) -> Path:
    eventually(lambda: list(downloads.glob(f"gamesa-*{ending}")), f"a file {ending}")
    [found] = downloads.glob(f"gamesa-*{ending}")
    return found


def test_dragging_zooms_every_graph_and_a_double_click_returns(graphs: Tab) -> None:
    plot = graphs.find(PLOT)
    ActionChains(graphs.driver).move_to_element_with_offset(plot, -200, 0).click_and_hold().move_by_offset(
        300, 0
    ).release().perform()
    graphs.wait("!gamesa.view.following")
    [since, until] = graphs.js(RANGE)
    assert until - since == pytest.approx(306 * 300 / plot.size["width"], rel=0.1)
    ActionChains(graphs.driver).move_to_element(graphs.find("#card-thermal")).perform()
    graphs.wait_text("#toolbar .readout", " to ")
    ActionChains(graphs.driver).double_click(plot).perform()
    graphs.wait("gamesa.view.following")


def test_what_was_before_the_page_comes_from_the_daemon(graphs: Tab) -> None:
    """The page has seen a few seconds, the graph goes back as far as the daemon has run."""
    first = graphs.js("gamesa.model.store.first")
    graphs.wait("gamesa.graphs.shown('temperature').past.points.t[0] < gamesa.model.store.first - 2")
    assert graphs.js("gamesa.model.store.first") == first


def test_the_pointer_reads_the_same_moment_in_all_graphs(graphs: Tab) -> None:
    graphs.wait("gamesa.model.store.size > 2")
    graphs.js("gamesa.view.follow(60)")
    plot = graphs.find(PLOT)
    ActionChains(graphs.driver).move_to_element_with_offset(plot, plot.size["width"] // 2 - 80, 0).perform()
    graphs.wait(r"/^\d\d:\d\d:\d\d/.test(document.querySelector('#toolbar .readout').textContent)")
    graphs.wait(
        "(() => { const places = ['temperature', 'utilization', 'power'].map((id) => "
        "gamesa.graphs.shown(id).moment); return places[0] !== null && "
        "places.every((one) => Math.abs(one - places[0]) < 1.5); })()"
    )


def test_a_decision_is_marked_and_tells_its_sentence(graphs: Tab) -> None:
    ActionChains(graphs.driver).move_to_element(graphs.find("#card-thermal")).perform()
    graphs.wait("gamesa.model.events.some((event) => event.kind === 'decision')")
    graphs.press("[")
    told = "document.querySelector('#toolbar .readout').textContent"
    graphs.wait(f"gamesa.model.events.some(({{ sentence }}) => {told}.endsWith(sentence.replace(/^[a-z_]+: /, '')))")


def test_pausing_stops_the_graphs_and_not_the_numbers(graphs: Tab) -> None:
    graphs.press(" ")
    graphs.wait("!gamesa.view.following")
    before, ticks = graphs.js(RANGE), graphs.js("gamesa.model.tick.n")
    graphs.wait(f"gamesa.model.tick.n > {ticks} + 1")
    assert graphs.js(RANGE) == before
    graphs.press(" ")
    graphs.wait("gamesa.view.following")


def test_going_back_and_forth_and_zooming_by_key(graphs: Tab) -> None:
    length = "(([since, until]) => until - since)(" + RANGE + ")"
    [since, _] = graphs.js(RANGE)
    graphs.press("\ue012")
    graphs.wait(f"{RANGE}[0] < {since} - 20")
    shown = graphs.js(length)
    graphs.press("+")
    assert graphs.js(length) == pytest.approx(shown / 2)
    graphs.press("-", "-")
    assert graphs.js(length) == pytest.approx(shown * 2)
    graphs.press("\ue011")
    graphs.wait("gamesa.view.following")


@pytest.mark.parametrize("seconds", [60, 86400, 2592000])
def test_every_span_is_answered(graphs: Tab, seconds: int) -> None:
    graphs.click(f"[data-span='{seconds}']")
    assert graphs.js(f"(([since, until]) => until - since)({RANGE})") == pytest.approx(seconds, rel=0.11)
    graphs.wait("gamesa.graphs.shown('temperature').past.points.t.length > 0")


def test_a_table_is_behind_each_graph(graphs: Tab) -> None:
    graphs.press("t")
    for graph in ("temperature", "power", "cores"):
        graphs.wait(f"document.querySelectorAll('#graph-{graph} tbody tr').length > 0")
    graphs.wait_text("#graph-temperature tbody td", "°C")
    graphs.press("t")
    graphs.wait("!document.querySelector('#graphs table')")


def test_the_range_is_saved_as_csv_and_as_json(graphs: Tab, downloads: Path) -> None:
    for form in ("csv", "json"):
        graphs.press_button("#toolbar", "Export…")
        graphs.press_button("dialog", form.upper())
        graphs.wait("!document.querySelector('dialog')")
    rows = list(csv.DictReader(saved(downloads, ".csv").read_text().splitlines()))
    assert {"Time", "Sensor", "Mean"} <= set(rows[0])
    assert json.loads(saved(downloads, ".json").read_text())


def test_a_graph_is_saved_as_a_picture(graphs: Tab, downloads: Path) -> None:
    graphs.wait("gamesa.graphs.shown('temperature').past.points.t.length > 0")
    graphs.press_button("#graph-temperature", "PNG")
    data = saved(downloads, ".png").read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    assert width > 600
    assert height > 150


def test_the_forecast_is_drawn_ahead_and_told(graphs: Tab) -> None:
    """What gamesad expects in 5 s: the card says it, and the graph paints right of the newest value."""
    graphs.js("gamesa.view.follow(60)")
    graphs.wait("gamesa.model.tick.forecast !== null")
    graphs.wait_text("#card-thermal .note", "expected")
    graphs.wait_text("#card-thermal .note", "at most")
    painted = """(() => { const plot = document.querySelector('#graph-temperature canvas');
        const copy = new OffscreenCanvas(plot.width, plot.height).getContext('2d', {willReadFrequently: true});
        copy.drawImage(plot, 0, 0);
        const over = document.querySelector('#graph-temperature .u-over').getBoundingClientRect();
        const from = over.left - plot.getBoundingClientRect().left + over.width * 61.5 / 66;
        const data = copy.getImageData(from, 8, over.width * 3 / 66, over.height * 0.9).data;
        const cold = (n) => Math.max(data[n + 1], data[n + 2]) - data[n]; // limits are red
        return [...Array(data.length / 4).keys()].filter((n) => cold(4 * n) > 40).length; })()"""
    graphs.wait(f"{painted} > 50")
    # Without one nothing is painted there; in the same breath, before the next tick brings another.
    without = "(gamesa.model.tick.forecast = null, gamesa.graphs.shown('temperature').draw(), new Promise((done) => "
    graphs.wait(f"{without}requestAnimationFrame(() => done({painted} < 10))))")


def test_a_flight_recording_is_replayed_through_cards_and_graphs(graphs: Tab) -> None:
    rows = [[1_795_000_000 + n, 60 + n / 2, 0.5] for n in range(60)]
    document = {
        "Version": 1, "Reason": "alert", "Text": "CPU package 89.5 °C has reached its limit", "Began": rows[30][0],
        "Columns": [
            {"Name": "hwmon.coretemp-isa-0000.temp1", "Label": "CPU package", "Quantity": "temperature", "Unit": "°C"},
            {"Name": "cpu.utilization", "Label": "CPU", "Quantity": "utilization", "Unit": ""},
        ],
        "Rows": rows, "Events": [{"Time": rows[30][0], "Kind": "alert", "Text": "it is hot"}], "Decisions": [],
    }  # fmt: skip
    graphs.driver.execute_async_script(
        "const [told, done] = arguments; import('/replay.js').then((replay) => { replay.start(3, told); done(); })",
        document,
    )
    graphs.wait_text("#banners .replay", "Recording 3, alert")
    graphs.press(" ")
    graphs.js(
        "(() => { const head = document.querySelector('.replay input'); head.value = 59; "
        "head.dispatchEvent(new Event('input')); })()"
    )
    graphs.wait_text("#graph-temperature .chip .value", "89.5 °C")
    graphs.wait_text("#card-resources .meter .value", "50 %")
    graphs.wait_text("#card-thermal .expected", "a recording has no forecast")
    graphs.press("\ue00c")
    graphs.wait("!document.querySelector('#banners .replay') && gamesa.view.following")
    graphs.wait_text("#card-thermal .lead", "its limit of")
