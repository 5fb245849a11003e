"""Each verb over a real system bus: what a person reads, what a program reads, what the daemon is asked."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.gamesactl.answers import (
    ANSWERS,
    CAP,
    CPU,
    DECISION,
    DISK,
    EPP,
    MAX_FREQ,
    PROPERTIES,
    SENSORS,
    STATUS,
    TUNABLES,
)
from tests.support.client import FakeDaemon, as_user, gamesactl

NOBODY = 65534


def text(block: str) -> str:
    """A block as it stands in a test, without its first line break."""
    return block.removeprefix("\n")


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


def test_a_limit_is_set_by_name_or_by_label(daemon: FakeDaemon) -> None:
    for name in (CPU, "cpu package"):
        said = gamesactl("limit", name, "85C")
        assert said.out == f"{CPU} is limited to 85 °C; gamesactl limit --clear {CPU} takes it back\n"
    assert daemon.asked == [["set_limit", CPU, 85.0]] * 2


def test_of_a_disk_it_is_said_that_its_limit_is_one_for_alerts(daemon: FakeDaemon) -> None:
    disk = next(one for one in SENSORS if one["Name"] == DISK)
    daemon.answer(sensors=[{**disk, "Limit": 60.0, "LimitOrigin": "set by a user", "Regulated": False}])
    said = gamesactl("limit", DISK, "60")
    assert said.out == (
        f"you are alerted when {DISK} is over 60 °C, and nothing is held back for it; "
        f"gamesactl limit --clear {DISK} takes it back\n"
    )


def test_a_limit_that_cannot_be_is_explained(daemon: FakeDaemon) -> None:
    assert gamesactl("limit", CPU, "900") == (1, "", f"gamesactl: a limit on {CPU} is 20..150 °C, not 900\n")
    assert gamesactl("limit", CPU, "15W").code == 2
    said = gamesactl("limit", "CPU pakage", "80")
    assert (said.code, "did you mean CPU package?" in said.err) == (1, True)


def test_limits_are_taken_back_one_or_all(daemon: FakeDaemon) -> None:
    daemon.answer(status={**STATUS, "Limits": {CPU: 85.0, "powercap.x.power": 12.0}})
    assert gamesactl("limit", "--clear", "CPU package").out == f"cleared: {CPU}\n"
    assert gamesactl("limit", "--clear", "--json").document == {"Cleared": [CPU, "powercap.x.power"]}
    assert daemon.asked == [["clear_limit", CPU], ["clear_limit", CPU], ["clear_limit", "powercap.x.power"]]
    assert gamesactl("limit", "--clear", "Composite").code == 1


def test_a_profile_is_chosen(daemon: FakeDaemon) -> None:
    assert gamesactl("set-profile", "quiet") == (0, "profile quiet selected\n", "")
    assert gamesactl("profiles", "--json").document["SelectedProfile"] == "quiet"


def test_an_unknown_profile_is_answered_with_the_nearest(daemon: FakeDaemon) -> None:
    assert gamesactl("set-profile", "quite") == (
        1,
        "",
        "gamesactl: unknown profile 'quite' (did you mean quiet?); there are: quiet, balanced, gaming\n",
    )


def test_a_tunable_is_set_in_the_unit_people_use(daemon: FakeDaemon) -> None:
    assert gamesactl("set", MAX_FREQ, "3.6GHz").out == f"{MAX_FREQ}: 3.9 GHz (found: 4.6 GHz)\n"
    gamesactl("set", EPP, "power", "--keep")
    said = gamesactl("set", MAX_FREQ, "3600MHz", "--revert-after", "1m")
    assert said.out.endswith(f"goes back in 1 min unless confirmed: gamesactl confirm {MAX_FREQ}\n")
    assert daemon.asked == [
        ["set_tunable", MAX_FREQ, 3600000, 0],
        ["set_tunable", EPP, "power", 0],
        ["set_tunable", MAX_FREQ, 3600000, 60],
    ]


def test_what_the_kernel_refused_is_a_failure(daemon: FakeDaemon) -> None:
    said = gamesactl("set", CAP, "20W")
    assert said.code == 1
    why = f"{CAP} was not set to 20000000: EPERM, locked by firmware"
    assert said.err == f"gamesactl: {why}; gamesactl reset {CAP} takes the wish back\n"


@pytest.mark.parametrize(
    ("name", "value", "code", "part"),
    [
        (EPP, "powr", 2, "(did you mean power?)"),
        (MAX_FREQ, "15W", 2, "takes 400 MHz to 4.6 GHz"),
        (MAX_FREQ, "fast", 2, "'fast' is not a number in kHz"),
        ("cpufreq.policy0.scaling_max_frq", "1GHz", 1, f"(did you mean {MAX_FREQ}?)"),
    ],
)
def test_a_wrong_setting_is_answered_with_what_is_possible(
    daemon: FakeDaemon, name: str, value: str, code: int, part: str
) -> None:
    said = gamesactl("set", name, value)
    assert said.code == code
    assert part in said.err
    assert daemon.asked == []


def test_confirm_and_reset(daemon: FakeDaemon) -> None:
    assert gamesactl("confirm", CAP).out == f"{CAP}: 15 W is kept\n"
    assert gamesactl("reset", CAP).out == f"{CAP}: 15 W, decided by gamesad again\n"
    assert daemon.asked == [["confirm_tunable", CAP], ["reset_tunable", CAP]]
    assert gamesactl("reset", EPP).err == (
        f"gamesactl: '{EPP}' was not set by hand, so there is nothing to confirm or reset\n"
    )
    assert "did you mean" in gamesactl("confirm", EPP + "s").err


def test_pause_and_resume(daemon: FakeDaemon) -> None:
    assert gamesactl("pause").out == "paused until resumed; everything is as found. gamesactl resume ends it\n"
    daemon.answer(status={**STATUS, "PausedUntil": time.time() + 5400})
    assert gamesactl("pause", "--for", "1h30m").out.startswith("paused until ")
    assert gamesactl("resume").out == "resumed\n"
    assert daemon.asked == [["pause", 0], ["pause", 5400], ["resume"]]


def test_reload_tells_every_fault_on_one_line(daemon: FakeDaemon) -> None:
    assert gamesactl("reload") == (0, "configuration read again\n", "")
    daemon.answer(problems=["gamesad.toml:3: tick: unknown key", "gamesad.toml:9: limits: not a table"])
    assert gamesactl("reload") == (
        1,
        "",
        "gamesactl: gamesad.toml:3: tick: unknown key; gamesad.toml:9: limits: not a table\n",
    )


def test_version_of_both(daemon: FakeDaemon) -> None:
    assert gamesactl("version").out == "gamesactl 0.1.0\ngamesad 0.1.0\n"
    assert gamesactl("--version", "--json").document == {"Client": "0.1.0", "Daemon": "0.1.0"}


def test_release_of_a_hold_that_is_not_there(daemon: FakeDaemon) -> None:
    assert gamesactl("release", "77").err == "gamesactl: there is no hold 77; gamesactl status lists the holds\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("status", {**STATUS, "Holds": []}),
        ("sensors", SENSORS),
        ("tunables", TUNABLES),
        ("decisions", ANSWERS["decisions"]),
        (
            "profiles",
            {key: PROPERTIES[key] for key in ("ActiveProfile", "SelectedProfile", "Profiles")} | {"Holds": []},
        ),
        ("limit", {"Limits": {}, "Regulated": {CPU: 95.0}}),
        ("set-profile quiet", {"ActiveProfile": "quiet", "SelectedProfile": "quiet"}),
        ("pause", {"PausedUntil": None}),
        ("resume", {"Paused": False}),
        ("reload", {"Reloaded": True}),
        (f"set {EPP} power", TUNABLES[2]),
        (f"confirm {CAP}", TUNABLES[3]),
        (f"limit {CPU} 85", {"Limits": {CPU: 85.0}}),
    ],
)
def test_json_is_what_the_bus_says(daemon: FakeDaemon, line: str, expected: Any) -> None:
    said = gamesactl(*line.split(), "--json")
    assert (said.code, said.err) == (0, "")
    assert said.out.count("\n") == 1
    assert said.document == expected


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


def test_another_user_may_look_and_not_touch(daemon: FakeDaemon) -> None:
    lines = ["set-profile quiet", "hold gaming", f"set {MAX_FREQ} 1GHz", "pause", "reload", f"limit {CPU} 80"]
    looked, *touched = as_user(NOBODY, "status", *lines)
    assert looked.code == 0
    for line, said in zip(lines, touched, strict=True):
        assert (said.code, said.out) == (4, ""), line
        assert said.err.startswith("gamesactl: not authorised"), line
        assert said.err.endswith("; try it with sudo, or ask your administrator\n"), line
        assert said.err.count("\n") == 1, line
    assert daemon.asked == []
