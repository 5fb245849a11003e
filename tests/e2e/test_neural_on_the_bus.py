"""What gamesactl and other clients see of the models of the real daemon, and what they may do with them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gamesad.crystal import reader
from tests.support.bus_client import client
from tests.support.client import as_user, eventually, gamesactl
from tests.support.daemon import Daemon, gamesad
from tests.support.fuse_machine import Mounted, mounted
from tests.support.private_bus import PrivateBus, missing, system_bus

NOBODY = 65534
PACKAGE = "hwmon.coretemp-isa-0000.temp1"
CONFIG = "[daemon]\ntick_slowest_s = 0.5\n[crystal]\nflight_before_s = 5\nflight_after_s = 1\n"
SOON = "from gamesad.crystal import core\nfrom gamesad.neural import learner\ncore.LEARNT_S = learner._BLOCKS_S = 1\n"
"""What is learnt is in the shared memory a second later, not half a minute."""
FEELING = """
from gamesad.neural.anomaly.detector import Detector
from gamesad.neural.anomaly.episodes import Episode
from dataclasses import replace
open_ = []
def step(self, moment):
    value = moment.readings.get("{sensor}")
    if value is not None and value > {above} and not open_:
        sentence = f"package {{value:.0f}} °C, odd"
        open_.append(Episode("{sensor}", "package", moment.wall_s, None, value, {above}, sentence))
        return open_[:]
    if value is not None and value < {above} and open_:
        return [replace(open_.pop(), ended_s=moment.wall_s)]
    return []
Detector.step = step
Detector.active = property(lambda self: open_)
"""
"""A detector to which a temperature above a value is odd: the real one stays silent until it knows the machine."""


class Running(NamedTuple):
    bus: PrivateBus
    machine: Mounted
    daemon: Daemon
    folder: Path


@pytest.fixture(scope="module")
def bus() -> Iterator[PrivateBus]:
    if reason := missing():
        pytest.skip(reason)
    with system_bus() as made:
        yield made
        made.kill_bus()  # what was started later has the machine's mount in its namespace


@pytest.fixture
def running(bus: PrivateBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    monkeypatch.setenv("GAMESAD_SHM", f"{tmp_path}/shm")
    tmp_path.chmod(0o755)
    before = SOON + FEELING.format(sensor=PACKAGE, above=60.0)
    with mounted("laptop/idle", tmp_path) as machine, started(bus, machine, tmp_path, before) as daemon:
        yield Running(bus, machine, daemon, tmp_path)
        assert daemon.stop() == 0
        assert "Traceback" not in daemon.log()


def started(bus: PrivateBus, machine: Mounted, folder: Path, before: str = SOON) -> Any:
    (folder / "gamesad.toml").write_text(CONFIG)
    places = ["--root", str(machine.root), "--runtime-dir", f"{folder}/run", "--state-dir", f"{folder}/state"]
    more = ["--shm", f"{folder}/shm", "--config", f"{folder}/gamesad.toml"]
    return gamesad(folder, [*places, *more], bus=bus.address, before=before)


def told() -> dict[str, Any]:
    document: dict[str, Any] = gamesactl("neural", "status", "--json").document
    return document


def samples() -> int:
    """Of the sensor with the most."""
    sensors = told().get("Forecast", {}).get("Sensors", [])
    return max((int(one["Samples"]) for one in sensors), default=0)


def test_after_some_seconds_there_are_skills_and_forecasts_for_everybody(running: Running) -> None:
    eventually(lambda: any("Skill" in one for one in told().get("Forecast", {}).get("Sensors", [])), "a skill")
    shown, shadow = as_user(NOBODY, "neural status", "neural shadow")
    assert shown.code == shadow.code == 0
    assert shown.out.startswith("Models       learning since ")
    assert "\nForecast     1 to 5 s ahead, upper bounds for 90 %\n" in shown.out
    assert "SENSOR" in shown.out
    assert shadow.out.startswith("Policy       shadow: it proposes, the rules decide\n")
    with reader.attach(f"{running.folder}/shm") as crystal:
        seen = next(latest.forecast for latest in crystal.follow(timeout_s=60) if latest.forecast)
        assert seen.horizon_s == (1.0, 2.0, 3.0, 4.0, 5.0)
        assert 0.0 <= seen.crossing[PACKAGE] <= 1.0
        assert seen.upper[PACKAGE][-1] >= seen.expected[PACKAGE][-1] > 0.0
        owners = {"model", "episode", "calibration"}
        eventually(lambda: owners <= {block.owner for block in crystal.blocks()}, "the blocks")
    assert "calibration" in gamesactl("crystal", "blocks").out


def test_root_saves_resets_and_gives_the_policy_its_say_and_strangers_do_not(running: Running) -> None:
    eventually(lambda: samples() > 3, "samples")
    for said in as_user(NOBODY, "neural checkpoint", "neural reset", "neural mode act"):
        assert (said.code, said.out, said.err.count("\n")) == (4, "", 1)
        assert "org.gamesa.Gamesad1.manage-models" in said.err
    assert told()["Policy"]["Mode"] == "shadow"
    assert not os.path.exists(f"{running.folder}/state/neural/models.npz")
    assert gamesactl("neural", "checkpoint").out.startswith("saved at ")
    assert os.path.getsize(f"{running.folder}/state/neural/models.npz") > 1000
    assert gamesactl("neural", "mode", "act").code == 0
    assert told()["Policy"]["Mode"] == "act"
    assert gamesactl("reload").code == 0
    assert told()["Policy"]["Mode"] == "shadow", "the configuration's again"
    before = samples()
    assert gamesactl("neural", "reset").out == "forgotten: all; learning begins anew\n"
    assert samples() < before
    assert told()["Life"]["Rollbacks"] == 0


def test_an_anomaly_is_signalled_with_its_end_and_recorded(running: Running) -> None:
    async def lie() -> tuple[dict[str, Any], dict[str, Any]]:
        async with client(running.bus, "nobody") as anybody:
            await anybody.listen()
            running.machine.control("fail_sensor", file, None, "70000")
            [begun] = await anybody.signal("AnomalyDetected")
            for asked in ("status --json", "explain --json"):  # from the segment, and from the bus
                await asyncio.to_thread(eventually, lambda asked=asked: begun["Sentence"] in said(asked), asked)
            running.machine.control("heal", file)
            [ended] = await anybody.signal("AnomalyDetected")
            return begun, ended

    eventually(lambda: samples() > 0, "learning")
    file = file_of(running.machine)
    begun, ended = asyncio.run(lie())
    assert (begun["Sensor"], begun["Label"], begun["Active"]) == (PACKAGE, "package", True)
    assert begun["Sentence"].endswith("°C, odd")
    assert begun["Score"] > begun["Threshold"] == 60.0
    assert (ended["Active"], ended["Since"]) == (False, begun["Since"])
    assert ended["Until"] > ended["Since"]
    running.daemon.wait_log("package is as usual again")
    eventually(lambda: any(one["Reason"] == "anomaly" for one in flights()), "the recording")


def file_of(machine: Mounted) -> str:
    """The package sensor's, as the machine knows it."""
    [chip] = [
        chip for chip in (machine.root / "sys/class/hwmon").iterdir() if (chip / "name").read_text() == "coretemp\n"
    ]
    return "/" + str((chip / "temp1_input").resolve().relative_to(machine.root))


def said(line: str) -> str:
    """By a process of its own: this one is busy."""
    [told] = as_user(0, line)
    document = told.document
    return str(document.get("Anomalies") or document["Status"].get("Anomalies"))


def flights() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = gamesactl("flight", "list", "--json").document
    return listed


def test_what_was_learnt_since_the_last_checkpoint_outlives_a_kill(
    bus: PrivateBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    monkeypatch.setenv("GAMESAD_SHM", f"{tmp_path}/shm")
    with mounted("laptop/idle", tmp_path) as machine:
        with started(bus, machine, tmp_path) as daemon:
            eventually(lambda: samples() > 2, "samples")
            assert gamesactl("neural", "checkpoint").code == 0
            saved, since = samples(), told()["Since"]
            eventually(lambda: samples() > saved + 4, "samples after the checkpoint")
            daemon.kill()
        with started(bus, machine, tmp_path) as daemon:
            eventually(lambda: samples() > 0, "what was learnt")
            assert told()["Since"] == since
            assert samples() > saved + 2
            assert daemon.stop() == 0
            assert "Traceback" not in daemon.log()
