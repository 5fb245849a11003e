"""The numbers for a scraper, as promtool and a parser of OpenMetrics see them."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from gamesactl.dashboard.metrics import Family, written
from tests.support.dashboard import Dashboard

OPEN = "application/openmetrics-text; version=1.0.0"
SAMPLE = re.compile(
    r'(?P<name>[a-z_:][a-z0-9_:]*)(?:{(?P<labels>(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)})? (?P<value>\S+)'
)


def families(text: str) -> dict[str, dict[str, object]]:
    """Each with its type, unit, and samples by labels; the rules of OpenMetrics 1.0 that we could break are checked."""
    assert text.endswith("# EOF\n")
    found: dict[str, dict[str, object]] = {}
    family = ""
    for line in text.splitlines()[:-1]:
        assert line, "an empty line"
        if line.startswith("# "):
            _, kind, family, rest = line.split(" ", 3)
            one = found.setdefault(family, {"samples": {}})
            assert not one["samples"], f"{family} is described after its samples"
            assert kind not in one, f"{family} has two of {kind}"
            one[kind] = rest
            if kind == "UNIT":
                assert family.endswith(f"_{rest}")
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        one = found[family]
        wanted = f"{family}_total" if one["TYPE"] == "counter" else family
        assert sample["name"] == wanted, "a sample outside of its family"
        assert sample["labels"] not in one["samples"], f"{line}: twice"
        one["samples"][sample["labels"]] = float(sample["value"])
    return found


def test_promtool_has_nothing_to_say(page: Dashboard) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool on this machine (apt install prometheus)")
    text = page.ask("/metrics").body
    ran = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
    broken = text.replace(b"_total", b"")
    assert subprocess.run(["promtool", "check", "metrics"], input=broken, capture_output=True, check=False).returncode


def test_open_metrics_is_answered_where_it_is_asked_for(page: Dashboard) -> None:
    answer = page.ask("/metrics", Accept=f"{OPEN},text/plain;q=0.5")
    assert answer.headers["content-type"].startswith(OPEN)
    found = families(answer.body.decode())
    assert found["gamesa_ticks"]["TYPE"] == "counter"
    assert found["gamesa_hwmon_temp_celsius"]["UNIT"] == "celsius"
    assert page.ask("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")


def test_every_sensor_with_a_value_has_a_line_in_base_units(page: Dashboard) -> None:
    for _ in range(20):
        before, answer, after = page.get("status"), page.ask("/metrics", Accept=OPEN), page.get("status")
        if before["Time"] == after["Time"]:
            break
    sensors = page.get("sensors")
    found = families(answer.body.decode())
    lines = sum(
        len(one["samples"]) for name, one in found.items() if re.match("gamesa_(?!dashboard|crystal|limit)", name)
    )
    own = ("up", "info", "decision_info", "uptime_seconds", "tick_duration_seconds", "ticks", "decisions")
    assert lines == sum(one["value"] is not None for one in sensors) + len(own)
    temperature = found["gamesa_hwmon_temp_celsius"]["samples"]
    labels = 'chip="coretemp-isa-0000",sensor="temp1",label="CPU package"'
    assert temperature[labels] == pytest.approx(before["Temperatures"][0]["Value"], abs=60)
    assert (
        found["gamesa_cpufreq_frequency_hertz"]["samples"]['chip="policy0",sensor="frequency",label="CPU 0 (P-core)"']
        > 1e8
    )
    assert "gamesa_memory_size_bytes" in found
    assert found["gamesa_limit_celsius"]["samples"][labels] > 50


def test_names_and_labels_survive_whatever_a_kernel_calls_its_parts() -> None:
    family = Family(
        "gamesa_a_temp_celsius", "gauge", "celsius", 'a "help" with \\ and\nmore', [({"label": 'q"\\\n'}, 1.5)]
    )
    text = written([family, Family("gamesa_none", "gauge", "", "nothing", [])], open_metrics=True)
    assert families(text) == {
        "gamesa_a_temp_celsius": {
            "HELP": r"a \"help\" with \\ and\nmore",
            "TYPE": "gauge",
            "UNIT": "celsius",
            "samples": {r'label="q\"\\\n"': 1.5},
        }
    }
