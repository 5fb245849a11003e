"""gamesactl against the real daemon on a simulated laptop: what it shows is what the machine does."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import ROOT, as_user, eventually, gamesactl, started
from tests.support.daemon import gamesad
from tests.support.private_bus import missing, system_bus

NOBODY = 65534
CPU = "hwmon.coretemp-isa-0000.temp1"
MAX_FREQ = "cpufreq.policy0.scaling_max_freq"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a bus with gamesad on a simulated laptop."""
    if reason := missing():
        pytest.skip(reason)
    with system_bus() as bus:
        folder: Path = tmp_path_factory.mktemp("gamesad")
        with gamesad(folder, ["--simulate", "laptop/steady-game"], bus=bus.address):
            yield bus.address


@pytest.fixture(autouse=True)
def on_the_laptop(laptop: str, quiet_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test finds and leaves the machine as it was."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", laptop)
    yield
    gamesactl("resume")
    gamesactl("limit", "--clear")
    gamesactl("reset", MAX_FREQ)
    gamesactl("set-profile", "balanced")


def tunable(name: str) -> dict[str, Any]:
    [found] = [one for one in gamesactl("tunables", name, "--json").document if one["Name"] == name]
    return dict(found)


def status() -> dict[str, Any]:
    return dict(gamesactl("status", "--json").document)


def test_what_is_simulated_says_so_first() -> None:
    assert gamesactl("status").out.startswith("*** simulated laptop / steady-game: nothing here is real hardware ***\n")
    assert gamesactl("explain").out.startswith(
        "*** simulated laptop / steady-game: nothing here is real hardware ***\n"
    )


def test_every_key_that_the_daemon_sends_is_documented() -> None:
    gamesactl("set-profile", "quiet")
    documented = set(re.findall(r"`([A-Za-z]+)`", (ROOT / "docs" / "gamesactl.md").read_text()))
    answers = [[status()], *(gamesactl(verb, "--json").document for verb in ("sensors", "tunables", "decisions"))]
    answers += [status()["Temperatures"], gamesactl("profiles", "--json").document["Profiles"]]
    sent = {key for rows in answers for row in rows for key in row}
    assert sent - documented - {"Time"} == set()


def test_a_profile_shows_in_tunables_and_is_explained() -> None:
    gamesactl("set-profile", "quiet")
    now = tunable(MAX_FREQ)
    assert now["Writer"] == "gamesad"
    assert now["Value"] < now["Found"]
    said = gamesactl("explain").out
    assert "The profile is quiet" in said
    assert "Who chose it: selected by root." in said
    assert re.search(r"scaling_max_freq of \d+ policies or domains is .* instead of .* as found\.", said)


def test_a_hold_is_active_while_its_holder_lives() -> None:
    with started("hold", "power-saver", "--reason", "test", "--json") as child:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["Profile"] == "power-saver"
        assert status()["ActiveProfile"] == "power-saver"
        assert "power-saver by gamesactl hold: test" in gamesactl("status").out
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=20)
    eventually(lambda: status()["ActiveProfile"] == "balanced", "the end of the hold")


def test_a_limit_that_nothing_can_keep_is_one_for_alerts() -> None:
    sensors = {one["Name"]: one for one in gamesactl("sensors", "--json").document}
    disk, board = "hwmon.nvme-pci-0200.temp1", "hwmon.acpitz-virtual-0.temp1"
    assert ("Limit" in sensors[disk], "Limit" in sensors[board]) == (True, False)
    for name in (disk, board):
        assert gamesactl("limit", name, "60").out.startswith(f"you are alerted when {name} is over 60 °C")
    assert gamesactl("limit", CPU, "60").out.startswith(f"{CPU} is limited to 60 °C")


def test_a_limit_is_in_force_at_once() -> None:
    assert gamesactl("limit", "CPU package", "60").code == 1, "two sensors have this label"
    name = "hwmon.coretemp-isa-0000.temp1"
    assert gamesactl("limit", name, "60").code == 0
    [sensor] = [one for one in gamesactl("sensors", name, "--json").document if one["Name"] == name]
    assert sensor["Limit"] == 60.0
    assert f"A limit was set by hand: {name} at most 60 °C." in gamesactl("explain").out


def test_a_setting_goes_back_by_itself_unless_it_is_confirmed() -> None:
    found = tunable(MAX_FREQ)["Found"]
    assert gamesactl("set", MAX_FREQ, "2GHz", "--revert-after", "2s").code == 0
    assert tunable(MAX_FREQ)["Value"] == 2_000_000
    eventually(lambda: tunable(MAX_FREQ)["Value"] == found, "going back")
    gamesactl("set", MAX_FREQ, "2GHz", "--revert-after", "5m")
    assert gamesactl("confirm", MAX_FREQ).out == f"{MAX_FREQ}: 2 GHz is kept\n"
    assert "Until" not in tunable(MAX_FREQ)
    assert gamesactl("reset", MAX_FREQ).code == 0
    assert tunable(MAX_FREQ)["Value"] == found


def test_a_value_that_cannot_be_is_refused_with_what_can() -> None:
    assert gamesactl("set", MAX_FREQ, "90GHz").code == 1
    assert gamesactl("set", MAX_FREQ, "15W").code == 2


def test_a_pause_puts_everything_back() -> None:
    gamesactl("set-profile", "quiet")
    assert tunable(MAX_FREQ)["Value"] < tunable(MAX_FREQ)["Found"]
    assert gamesactl("pause", "--for", "10m").code == 0
    assert tunable(MAX_FREQ)["Value"] == tunable(MAX_FREQ)["Found"]
    assert "Paused       until " in gamesactl("status").out
    assert gamesactl("resume").code == 0
    assert tunable(MAX_FREQ)["Value"] < tunable(MAX_FREQ)["Found"]


def test_a_pause_without_an_end_is_told_as_such() -> None:
    assert gamesactl("pause").out.startswith("paused until resumed")
    assert status()["PausedUntil"] is None


def test_launch_holds_for_its_command() -> None:
    with started("launch", "-p", "performance", "--", "sh", "-c", "echo ready; read end; exit 5", stdin=-1) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert status()["ActiveProfile"] == "performance"
        child.communicate("now\n", timeout=20)
    assert child.returncode == 5
    eventually(lambda: status()["ActiveProfile"] == "balanced", "the end of the hold")


def test_another_user_is_refused() -> None:
    looked, refused = as_user(NOBODY, "status", "set-profile quiet")
    assert (looked.code, refused.code) == (0, 4)
    assert status()["SelectedProfile"] == "balanced"


def test_monitor_shows_the_machine_moving() -> None:
    lines = [json.loads(line) for line in gamesactl("monitor", "-n", "2", "--json").out.splitlines()]
    assert lines[0]["Time"] < lines[1]["Time"]
    assert all(line["Temperatures"] for line in lines)


def test_the_configuration_is_checked_and_shown(tmp_path: Path) -> None:
    assert gamesactl("config", "check").code == 0
    assert "daemon" in gamesactl("config", "show", "--json").document
    assert gamesactl("config", "show", "--origin", "--json").document["Lines"][0] == "[daemon]"
    bad = tmp_path / "gamesad.toml"
    bad.write_text("[daemon]\ntick_fastest = 1\n[limts]\n")
    said = gamesactl("config", "check", "--config", str(bad))
    assert said.code == 1
    assert said.out.count("\n") == 2
    assert said.err == "gamesactl: 2 faults in the configuration\n"
