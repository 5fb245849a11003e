"""Verbs that only look, over a real system bus: what a person reads, whatever the daemon says."""

from __future__ import annotations

import time

import pytest

from tests.gamesactl.answers import (
    CAP,
    CPU,
    DECISION,
    STATUS,
)
from tests.support.client import FakeDaemon, gamesactl, text


def test_status_at_a_glance(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert gamesactl("status") == (
        0,
        text("""
Machine      LENOVO 21AH
Profile      balanced, selected by uid 1000
Decision     throttling because of heat: CPU package 93.4 °C is 1.6 °C under its
             limit of 95 °C and rising 0.8 °C/s; scaling_max_freq 4.6 → 3.9 GHz
Temperature  CPU package 93.4 °C, 1.6 °C under its limit of 95 °C (hot)
             Composite 41.9 °C
Power        intel-rapl:0 28.3 W
Load         CPU 53 %, memory 41 %
Frequency    2.1 GHz to 3.9 GHz
Fans         thinkpad-isa-0000.fan1 2304 rpm
Battery      81 %, on battery
Rejected     hwmon.nct6798-isa-0290.temp7
gamesad      0.1.0, up 2 h 5 min, tick 0.3 ms
"""),
        "",
    )


def test_status_of_a_machine_that_says_nothing_invents_nothing(daemon: FakeDaemon) -> None:
    daemon.answer(status={"Simulated": False, "Mode": "active", "ActiveProfile": "balanced"})
    assert gamesactl("status") == (0, "Profile      balanced\nDecision     none yet\nTemperature  unknown\n", "")


def test_status_says_simulated_first(daemon: FakeDaemon) -> None:
    daemon.answer(status={**STATUS, "Simulated": True, "Machine": "simulated laptop / steady-game"})
    first = gamesactl("status").out.splitlines()[0]
    assert first == "*** simulated laptop / steady-game: nothing here is real hardware ***"


def test_status_tells_pause_holds_limits_and_why_nothing_is_written(daemon: FakeDaemon) -> None:
    hold = {"Cookie": 3, "Profile": "gaming", "Reason": "rendering", "ApplicationId": "game.exe"}
    daemon.answer(
        status={
            "Mode": "observe", "ObserveReason": "thermald regulates the same controls", "ActiveProfile": "gaming",
            "SelectedProfile": "quiet", "ProfileCause": "held by game.exe: rendering", "Holds": [hold],
            "Limits": {CPU: 85.0, "powercap.intel-rapl:0.power": 15.0}, "PausedUntil": time.time() + 600.4,
            "LastDecision": {**DECISION, "Since": time.time() - 200},
        }
    )  # fmt: skip
    out = gamesactl("status").out
    assert "Profile      gaming, held by game.exe: rendering (selected: quiet)\n" in out
    assert "Holds        gaming by game.exe: rendering (hold 3)\n" in out
    assert "Mode         observe: nothing is written (thermald regulates the same controls)\n" in out
    assert f"Your limits  {CPU} 85 °C, powercap.intel-rapl:0.power 15 W\n" in out
    assert "(10 min left); gamesactl resume ends it\n" in out
    assert "throttling because of heat since " in out
    assert "(3 min 20 s): CPU package" in out


def test_sensors_in_a_table(daemon: FakeDaemon) -> None:
    assert gamesactl("sensors").out == text("""
NAME                           LABEL                VALUE    LIMIT  NOTE
hwmon.coretemp-isa-0000.temp1  CPU package        93.4 °C  95.0 °C
hwmon.nvme-pci-0100.temp1      Composite          41.9 °C        –
hwmon.nct6798-isa-0290.temp7   AUXTIN4                  –        –  rejected: 216 is outside what is possible, -55 to 150
cpu.utilization                CPU                   53 %        –
platform_profile               platform profile  balanced        –
1 absent; gamesactl sensors --all shows them
""")  # noqa: E501


def test_sensors_on_a_narrow_terminal(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = gamesactl("sensors", "--all").out
    assert out == text("""
NAME                              VALUE
hwmon.coretemp-isa-0000.temp1   93.4 °C
hwmon.nvme-pci-0100.temp1       41.9 °C
hwmon.nct6798-isa-0290.temp7          –
  rejected: 216 is outside what is
  possible, -55 to 150
cpu.utilization                    53 %
platform_profile               balanced
hwmon.acpitz-acpi-0.temp1             –
  absent: ENODATA
""")


def test_sensors_by_a_part_of_their_name(daemon: FakeDaemon) -> None:
    assert [one["Name"] for one in gamesactl("sensors", "NVME", "--json").document] == ["hwmon.nvme-pci-0100.temp1"]
    said = gamesactl("sensors", "cpu.utilisation")
    assert said.err == (
        "gamesactl: no sensor has 'cpu.utilisation' in its name (did you mean cpu.utilization?); "
        "gamesactl sensors lists them\n"
    )
    assert said.code == 1


def test_tunables_in_a_table(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "132")
    table = f"""
NAME                                                             VALUE                FOUND  SET BY         NOTE
cpufreq.policy0.scaling_max_freq                               3.9 GHz              4.6 GHz  gamesad
cpufreq.policy1.scaling_max_freq                               3.9 GHz              4.6 GHz  gamesad
cpufreq.policy0.energy_performance_preference      balance_performance  balance_performance
{CAP}                 15 W                 28 W  somebody else  not set to 20000000:
{"":106}  EPERM, locked by
{"":106}  firmware; set by a
{"":106}  person
"""
    assert gamesactl("tunables").out == text(table)


def test_tunables_with_what_they_may_be(daemon: FakeDaemon) -> None:
    out = gamesactl("tunables", "policy0", "--all").out
    assert "400 MHz to 4.6 GHz" in out
    assert "power balance_power balance_performance performance" in out


def test_profiles_mark_the_active_one(daemon: FakeDaemon) -> None:
    assert gamesactl("profiles").out == text("""
   NAME      STANDS FOR   FROM         DESCRIPTION
   quiet     power-saver  built in     Less noise.
*  balanced  balanced     built in     The machine as it was found.
   gaming    performance  gaming.toml  Steady frame times.
""")


def test_explain_in_sentences(daemon: FakeDaemon) -> None:
    assert gamesactl("explain").out == text(f"""
Throttling because of heat; a rule of the controller led to that.
The reason: {DECISION["Reason"].removeprefix("throttle: ")}.
The part udev is not available: pyudev is not installed.
The profile is balanced: The machine as it was found.
Who chose it: selected by uid 1000.
Temperature: CPU package 93.4 °C, 1.6 °C under its limit of 95 °C (5 °C under max 100 °C).
scaling_max_freq of 2 policies or domains is 3.9 GHz instead of 4.6 GHz as found.
powercap.intel-rapl:0.constraint_0_power_limit_uw was set to 20 W by hand; until gamesactl reset.
Somebody else set powercap.intel-rapl:0.constraint_0_power_limit_uw to 15 W; it is left alone.
powercap.intel-rapl:0.constraint_0_power_limit_uw was not set to 20000000: EPERM, locked by firmware.
The sensor AUXTIN4 (hwmon.nct6798-isa-0290.temp7) is rejected: 216 is outside what is possible, -55 to 150.
1 sensor gives no reading: hwmon.acpitz-acpi-0.temp1.
""")


def test_explain_an_idle_machine(daemon: FakeDaemon) -> None:
    idle = {"Action": "noop", "Source": "rule", "Reason": "nobody chose a profile and no limit is near"}
    daemon.answer(
        status={"Mode": "failsafe", "ActiveProfile": "balanced", "LastDecision": idle, "ProfileCause": "nobody"},
        sensors=[],
        tunables=[],
    )
    assert gamesactl("explain").out == text("""
Nothing is changed; a rule of the controller led to that.
The reason: nobody chose a profile and no limit is near.
Failsafe: critical sensors are lost; the machine is kept at conservative settings until they are back.
The part udev is not available: pyudev is not installed.
The profile is balanced: The machine as it was found.
Who chose it: nobody.
No temperature is known, so nothing can be said of heat.
Every setting is as it was found.
""")


def test_decisions_newest_first(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert gamesactl("decisions").out == text("""
ACTION    SOURCE  PROFILE   REASON
throttle  rule    balanced  CPU package 93.4 °C is 1.6 °C under its limit of 95
                            °C and rising 0.8 °C/s; scaling_max_freq 4.6 → 3.9
                            GHz
noop      rule    balanced  cool
""")
    assert len(gamesactl("decisions", "-n1", "--json").document) == 1


def test_limits_and_where_they_come_from(daemon: FakeDaemon) -> None:
    daemon.answer(status={**STATUS, "Limits": {CPU: 85.0, "powercap.gone.power": 12.0}})
    assert gamesactl("limit").out == text("""
SENSOR                         LABEL          VALUE    LIMIT  FROM
hwmon.coretemp-isa-0000.temp1  CPU package  93.4 °C  85.0 °C  you
powercap.gone.power                               –     12 W  you
""")


def test_version_of_both(daemon: FakeDaemon) -> None:
    assert gamesactl("version").out == "gamesactl 0.1.0\ngamesad 0.1.0\n"
    assert gamesactl("--version", "--json").document == {"Client": "0.1.0", "Daemon": "0.1.0"}


def test_explain_has_its_sentences_and_the_status_in_json(daemon: FakeDaemon) -> None:
    document = gamesactl("explain", "--json").document
    assert document["Sentences"][0] == "Throttling because of heat; a rule of the controller led to that."
    assert document["Status"]["Headroom"] == 1.6


def test_hostile_text_cannot_steer_a_terminal(daemon: FakeDaemon) -> None:
    hold = {
        "Cookie": 1,
        "Profile": "gaming",
        "Reason": "\x1b]0;owned\x07\x1b[2J\nroot",
        "ApplicationId": "\u202egpj.exe",
    }
    daemon.answer(status={**STATUS, "Holds": [hold], "LastDecision": {**DECISION, "Reason": "\x9b2J" + "x" * 100_000}})
    for verb in ("status", "explain", "monitor -n1"):
        out = gamesactl(*verb.split()).out
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(out), verb
        assert len(out) < 5000, verb
    assert "gaming by \\u202egpj.exe: \\x1b]0;owned\\x07\\x1b[2J\\x0aroot (hold 1)" in gamesactl("status").out


def test_an_answer_of_wrong_types_is_shown_as_unknown(daemon: FakeDaemon) -> None:
    wrong = {
        "Temperatures": "hot",
        "Power": 3.0,
        "Headroom": "a",
        "LastDecision": "none",
        "Limits": True,
        "Uptime": "x",
    }
    daemon.answer(
        status=wrong, sensors=[{"Name": 7, "Value": True}, {"Value": {}}], tunables=[{"Value": [1.0], "Found": True}]
    )
    for verb in ("status", "sensors", "tunables", "explain", "limit", "monitor -n1"):
        assert gamesactl(*verb.split()).code == 0, verb
