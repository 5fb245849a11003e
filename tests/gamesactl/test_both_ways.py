"""The real daemon's status over the bus and from its segment: the same document, at every turn."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import eventually, gamesactl, started
from tests.support.daemon import Daemon, gamesad
from tests.support.private_bus import PrivateBus, missing, system_bus

TUNABLE = "cpufreq.policy0.scaling_max_freq"
TRIES = 200


class Both:
    """One daemon, asked both ways."""

    def __init__(self, shm: Path, bus: PrivateBus, daemon: Daemon) -> None:
        self.shm = shm
        self.bus = bus
        self.daemon = daemon

    def status(self, *, shm: bool) -> dict[str, Any]:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("DBUS_SYSTEM_BUS_ADDRESS", self.bus.address)
            environment.setenv("GAMESAD_SHM", str(self.shm if shm else self.shm.with_name("none")))
            said = gamesactl("status", "--json")
        assert (said.code, said.err) == (0, "")
        return dict(said.document)

    def same_tick(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What both say of one tick."""
        for _ in range(TRIES):
            read, asked = self.status(shm=True), self.status(shm=False)
            if read["Time"] == pytest.approx(asked["Time"], abs=1e-6):
                return read, asked
        raise AssertionError(f"no two of {TRIES} looks saw the same tick")


@pytest.fixture(params=["laptop/steady-game"])
def both(
    request: pytest.FixtureRequest, tmp_path: Path, quiet_environment: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Both]:
    if reason := missing():
        pytest.skip(reason)
    with system_bus(polkit=False) as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        arguments = [
            "--simulate",
            request.param,
            "--shm",
            str(tmp_path / "shm"),
            "--runtime-dir",
            str(tmp_path / "run"),
        ]
        with gamesad(tmp_path, [*arguments, "--state-dir", str(tmp_path / "state")], bus=bus.address) as daemon:
            eventually((tmp_path / "shm").exists, "the segment")
            yield Both(tmp_path / "shm", bus, daemon)


def agree(both: Both) -> dict[str, Any]:
    """Every key and value in the same order; a power is at most a second old, hence compared over several ticks."""
    powers_agree = False
    for _ in range(10):
        read, asked = both.same_tick()
        powers_agree = powers_agree or read["Power"] == asked["Power"]
        assert list(read["Power"]) == list(asked["Power"])
        read["Power"] = asked["Power"]
        read["Time"] = asked["Time"]
        assert json.dumps(read) == json.dumps(asked)
        if powers_agree:
            return read
    raise AssertionError("no power was the same in ten ticks")


@pytest.mark.parametrize("both", ["laptop/steady-game", "desktop/failing-sensor", "laptop/battery"], indirect=True)
def test_the_segment_says_what_the_bus_says(both: Both) -> None:
    assert agree(both)["Temperatures"]
    sensor = agree(both)["HottestSensor"]
    for line in (f"limit {sensor} 75", "set-profile quiet", f"set {TUNABLE} 2GHz --keep", "pause --for 1h", "pause"):
        assert gamesactl(*line.split()).code == 0, line
        found = agree(both)
    assert found["Limits"] == {sensor: 75.0}
    assert found["ActiveProfile"] == "quiet"
    assert found["PausedUntil"] is None


def test_a_hold_is_told_in_full_and_is_not_in_the_segment(both: Both) -> None:
    with started("hold", "performance", "--reason", "rendering a secret") as child:
        assert child.stdout is not None
        child.stdout.readline()
        status = both.status(shm=True)
        assert [hold["Reason"] for hold in status["Holds"]] == ["rendering a secret"]
        assert b"secret" not in both.shm.read_bytes()
    eventually(lambda: not both.status(shm=True)["Holds"], "the end of the hold")
    agree(both)


def test_a_killed_daemon_is_stale_and_what_it_recorded_is_there(both: Both) -> None:
    eventually(lambda: "cpu.utilization" in gamesactl("export", "--format", "csv").out, "a second of history")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GAMESAD_SHM", str(both.shm))
        both.daemon.kill()
        eventually(lambda: gamesactl("status").code == 3, "the end of the heartbeat")
        said = gamesactl("status")
        assert said.err.startswith("gamesactl: stale since ")
        assert said.err.endswith("start it with: sudo systemctl start gamesad\n")
        shown = gamesactl("history", "--since", "1h")
    assert shown.err.startswith("gamesactl: stale since ")
    assert "cpu.utilization" in shown.out


def test_history_is_the_same_both_ways(both: Both) -> None:
    words = ("history", "cpu.utilization", "--points", "0", "--json")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GAMESAD_SHM", str(both.shm))
        eventually(lambda: len(gamesactl(*words).document["Sensors"][0]["Points"]) > 3, "four seconds of history")
        read = gamesactl(*words).document["Sensors"][0]
        environment.setenv("GAMESAD_SHM", str(both.shm.with_name("none")))
        asked = gamesactl(*words).document["Sensors"][0]
    assert {**asked, "Points": asked["Points"][: len(read["Points"])]} == read


def test_the_pool_is_advised_laid_out_and_compacted(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMESAD_SHM", str(both.shm))
    stats = gamesactl("crystal", "stats", "--json").document
    assert stats["limit"] > stats["size"] >= 0
    assert gamesactl("crystal", "advise").document.keys() == {"blocks", "order", "groups"}
    given = tmp_path / "given"
    command = f"{sys.executable} -c \"import sys; open('{given}', 'w').write(sys.stdin.read()); print('{{}}')\""
    assert gamesactl("crystal", "advise", "--command", command).document == {}
    assert "blocks" in json.loads(given.read_text())
    refused = gamesactl("crystal", "advise", "--command", command, "--apply")
    assert (refused.code, refused.out) == (1, "")
    assert "it is empty" in refused.err
    said = gamesactl("crystal", "compact")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("compacted in ")
    agree(both)
