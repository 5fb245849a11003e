"""``explain --sensor`` and ``--tunable``: where a number comes from, and what became of a setting."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.gamesactl.answers import ANSWERS, BOARD, CAP, CPU, DECISION, EPP, MAX_FREQ, SENSORS, STATUS, TUNABLES
from tests.support.client import FakeDaemon, gamesactl


@pytest.fixture(autouse=True)
def wide(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")


def explained(option: str, name: str) -> list[str]:
    said = gamesactl("explain", option, name)
    assert (said.code, said.err) == (0, "")
    return said.out.splitlines()


@pytest.mark.parametrize("name", [CPU, "CPU package", "cpu PACKAGE"])
def test_a_sensor_that_is_well(name: str) -> None:
    assert explained("--sensor", name) == [
        f"CPU package ({CPU}) is 93.4 °C, read just now.",
        "It is critical: without it for 3 s, gamesad goes to the failsafe settings.",
        (
            "File: /sys/class/hwmon/hwmon3/temp1_input, of the driver coretemp; the number in it, divided by 1000,"
            " is the temperature in °C."
        ),
        "Limits, from its driver: maximum 100.0 °C, critical 105.0 °C.",
        "It is kept at or below 95.0 °C: 5 °C under max 100 °C.",
        (
            "The decision in force went by it: CPU package 93.4 °C is 1.6 °C under its limit of 95 °C and rising"
            " 0.8 °C/s; scaling_max_freq 4.6 → 3.9 GHz."
        ),
    ]


def test_a_sensor_that_is_rejected_old_or_absent(daemon: FakeDaemon) -> None:
    first = explained("--sensor", BOARD)[0]
    assert first == (
        f"AUXTIN4 ({BOARD}) is rejected: 216 is outside what is possible, -55 to 150; a value that cannot be true is"
        " shown and never acted on."
    )
    assert explained("--sensor", "Composite")[0].endswith("is 41.9 °C, read 4 s ago.")
    said = explained("--sensor", "acpitz")
    assert said[0] == "Acpitz (hwmon.acpitz-acpi-0.temp1) gives no reading: ENODATA, the driver has no value now."
    assert "Its driver states no limit." in said
    assert "GAMESAD keeps no limit for it.".casefold() in [line.casefold() for line in said]
    assert said[-1] == "None of the last 2 decisions went by it."


def test_a_limit_that_nothing_can_keep_is_not_said_to_be_kept(daemon: FakeDaemon) -> None:
    disk = {"Limit": 79.85, "LimitOrigin": "critical temperature 84.85 °C less a margin of 5 °C", "Regulated": False}
    daemon.answer(sensors=[SENSORS[1] | disk], decisions=[DECISION])
    said = explained("--sensor", "Composite")
    assert said[-2:] == [
        (
            "Above 79.8 °C gamesad gives an alert, for nothing that it sets cools this part: critical temperature"
            " 84.85 °C less a margin of 5 °C."
        ),
        "The only decision so far did not go by it.",
    ]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"Quantity": "power", "Unit": "W", "Divisor": 1e6, "Path": "/sys/x/energy_uj", "Driver": "intel-rapl"},
            (
                "File: /sys/x/energy_uj, of the driver intel-rapl; the growth per second of the number in it,"
                " divided by 1000000, is the power in W."
            ),
        ),
        (
            {"Quantity": "frequency", "Unit": "Hz", "Divisor": 1e-6, "Path": "/sys/x/act_freq"},
            "File: /sys/x/act_freq; the number in it, times 1e+06, is the frequency in Hz.",
        ),
        (
            {"Quantity": "fan", "Unit": "rpm", "Divisor": 1.0, "Path": "/sys/x/fan1_input"},
            "File: /sys/x/fan1_input; the number in it is the fan in rpm.",
        ),
        (
            {"Quantity": "utilization", "Unit": "", "Path": "/proc/stat"},
            "File: /proc/stat; the utilization is worked out from what stands in it.",
        ),
        ({"Quantity": "power"}, "The daemon does not say which file this power comes from."),
        (
            {"Quantity": "temperature", "Unit": "°C", "CriticalLimit": 95.0, "LimitsFrom": "gamesad's table"},
            "Limits, from gamesad's table: critical 95.0 °C.",
        ),
    ],
)
def test_where_a_number_comes_from(daemon: FakeDaemon, fields: dict[str, Any], sentence: str) -> None:
    daemon.answer(sensors=[{"Name": "x.y", "Label": "X", "State": "ok", "Value": 5.0, **fields}])
    assert sentence in explained("--sensor", "x.y")


def test_the_decision_that_went_by_it_need_not_be_the_last(daemon: FakeDaemon) -> None:
    older = {**DECISION, "Since": time.time() - 200}
    daemon.answer(decisions=[{**DECISION, "Sensor": "another"}, older])
    last = explained("--sensor", CPU)[-1]
    assert last.startswith("The decision of ")
    assert ", 3 min 20 s ago went by it: CPU package 93.4 °C" in last


def test_a_tunable_that_is_held_back() -> None:
    assert explained("--tunable", MAX_FREQ) == [
        f"{MAX_FREQ} (frequency maximum) is 3.9 GHz.",
        "File: /sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq.",
        "Before gamesad wrote anything it was 4.6 GHz.",
        "gamesad wrote it last, and puts it back when it stops.",
        "It may be 400 MHz to 4.6 GHz.",
        (
            "The last decision (throttling because of heat) wants 3.9 GHz: CPU package 93.4 °C is 1.6 °C under its"
            " limit of 95 °C and rising 0.8 °C/s; scaling_max_freq 4.6 → 3.9 GHz."
        ),
    ]


def test_a_tunable_that_was_refused_and_set_by_others() -> None:
    said = explained("--tunable", CAP)
    assert "Somebody else wrote it last; gamesad leaves it alone until gamesactl reset." in said
    assert "Set by hand to 20 W, until gamesactl reset." in said
    assert said[-1] == f"Refused: {CAP} was not set to 20000000: EPERM, locked by firmware."


def test_a_tunable_as_it_was_found(daemon: FakeDaemon) -> None:
    daemon.answer(status={**STATUS, "Mode": "observe", "ObserveReason": "asked to with --observe"})
    said = explained("--tunable", EPP)
    assert "gamesad has not changed it." in said
    assert "Nothing is written now: asked to with --observe." in said
    assert "It may be power, balance_power, balance_performance, performance (from least power to most)." in said
    assert said[-1] == "The last decision (throttling because of heat) does not name it: it is to be as found."


@pytest.mark.parametrize(
    ("option", "name", "said"),
    [
        ("--sensor", "CPU pakage", "no sensor is called 'CPU pakage' (did you mean CPU package?); gamesactl sensors"),
        ("--tunable", "cpufreq.policy0.scaling_max_frq", f"(did you mean {MAX_FREQ}?); gamesactl tunables lists them"),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_the_nearest(option: str, name: str, said: str) -> None:
    found = gamesactl("explain", option, name)
    assert (found.code, found.out) == (1, "")
    assert said in found.err


def test_one_of_the_two_is_asked_for() -> None:
    assert gamesactl("explain", "--sensor", CPU, "--tunable", EPP).code == 2


def test_json_has_the_dictionaries_and_the_sentences() -> None:
    document = gamesactl("explain", "--sensor", CPU, "--json").document
    assert document["Sensor"] == SENSORS[0]
    assert document["Decision"] == ANSWERS["decisions"][0]
    assert document["Sentences"][0].startswith("CPU package (")
    document = gamesactl("explain", "--tunable", MAX_FREQ, "--json").document
    assert (document["Tunable"], document["Wanted"]) == (TUNABLES[0], 3900000)


def test_a_daemon_that_says_little_is_answered_with_unknown(daemon: FakeDaemon) -> None:
    daemon.answer(sensors=[{"Name": "x"}], tunables=[{"Name": "y.z"}], status={}, decisions=[])
    assert explained("--sensor", "x")[0] == "X (x) gives no reading: no reason given."
    assert explained("--tunable", "y.z")[0] == "y.z (unknown) cannot be read now."
