"""Verbs over a real system bus: what the daemon is asked, what is said of it, what a program reads, who may."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.gamesactl.answers import (
    ANSWERS,
    CAP,
    CPU,
    DISK,
    EPP,
    MAX_FREQ,
    PROPERTIES,
    SENSORS,
    STATUS,
    TUNABLES,
)
from tests.support.client import NOBODY, FakeDaemon, as_user, gamesactl


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
