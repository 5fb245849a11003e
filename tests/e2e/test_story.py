"""What a user lives through on a machine that gets hot, or whose sensor fails: told by log, client and bus alike."""

from __future__ import annotations

import asyncio
import errno
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bus_client import client
from tests.support.client import as_user, eventually, gamesactl
from tests.support.daemon import Daemon, gamesad
from tests.support.fuse_machine import Mounted, mounted
from tests.support.private_bus import USERS, PrivateBus, missing, system_bus
from tests.support.values import tunable_files

PACKAGE = "hwmon.coretemp-isa-0000.temp1"
LIMIT_C = 70.0


@pytest.fixture(scope="module")
def bus() -> Iterator[PrivateBus]:
    if reason := missing():
        pytest.skip(reason)
    with system_bus(polkit=False) as bus:
        yield bus


@pytest.fixture(autouse=True)
def on_the_bus(bus: PrivateBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)


def places(machine: Mounted, folder: Path, **wishes: object) -> list[str]:
    (folder / "state").mkdir()
    (folder / "state" / "state.json").write_text(json.dumps({"version": 1, **wishes}))
    return ["--root", str(machine.root), "--runtime-dir", f"{folder}/run", "--state-dir", f"{folder}/state"]


def actions(daemon: Daemon) -> list[str]:
    """The decisions in the log, by their first word."""
    return re.findall(r"^\S+ (throttle|boost|noop|conservative|reduce_power): ", daemon.log(), re.MULTILINE)


def test_heat_throttle_before_the_limit_cool_release_and_why(bus: PrivateBus, tmp_path: Path) -> None:
    """A heavy game of ninety seconds, then its menus. Nothing is chosen, so only the limit makes gamesad act."""
    with mounted("laptop/bursty-game", tmp_path, speed=0.0) as machine:
        found = tunable_files(machine.root)
        with gamesad(
            tmp_path, places(machine, tmp_path, temperature_limits_c={PACKAGE: LIMIT_C}), bus=bus.address
        ) as daemon:
            told = asyncio.run(live_through_it(bus, machine, daemon, found))
            decisions = gamesactl("decisions", "--json").document
            assert daemon.stop() == 0
        assert tunable_files(machine.root) == found

    # The log: first the throttle, with the numbers, under the limit; then the release.
    throttle = re.search(
        r"throttle: CPU package ([\d.]+) °C is ([\d.]+) °C under its limit of 70 °C and rising [\d.]+ °C/s; .* → ",
        daemon.log(),
    )
    assert throttle, daemon.log()
    assert float(throttle[1]) < LIMIT_C
    assert actions(daemon)[:1] in (["noop"], ["throttle"])
    assert "boost" in actions(daemon)[actions(daemon).index("throttle") :]

    # The bus: the same decisions as signals, in order, and the client's list has them too.
    assert throttle[0] in "\n".join(decision["Reason"] for decision in told)
    order = [decision["Action"] for decision in told]
    assert order.index("throttle") < order.index("boost")
    listed = [decision["Reason"] for decision in reversed(decisions)]
    assert {decision["Reason"] for decision in told} <= set(listed)


async def live_through_it(
    bus: PrivateBus, machine: Mounted, daemon: Daemon, found: dict[str, str]
) -> list[dict[str, Any]]:
    """The decisions that the bus told meanwhile."""
    async with client(bus, "nobody") as anybody:
        await anybody.listen()
        time_passes = asyncio.create_task(pass_time(machine))
        await within(20, lambda: "throttle: " in daemon.log(), "a throttle")
        [explained] = await asyncio.to_thread(as_user, USERS["nobody"], "explain")
        assert "CPU package" in explained.out
        assert "a limit was set by hand" in explained.out.lower()
        last = (await anybody.properties())["LastDecision"]
        assert (last["Action"], last["Source"]) == ("throttle", "rule")
        assert tunable_files(machine.root) != found
        for _ in range(8):
            assert machine.truth()["hottest_c"] < LIMIT_C + 6.0
            await asyncio.sleep(0.25)
        assert "has reached its limit" not in daemon.log()
        machine.advance(103.0)  # to the menus
        seen = [allowed(machine)]

        def rises() -> bool:
            seen.append(allowed(machine))
            return seen[-1] > min(seen)

        await within(25, rises, "more power")
        await within(10, lambda: actions(daemon)[-1] == "boost", "the word of it")
        time_passes.cancel()
        told = []
        while not anybody.signals.empty():
            member, body = anybody.signals.get_nowait()
            told += body if member == "DecisionMade" else []
        return told


async def pass_time(machine: Mounted) -> None:
    """The machine begins to live when the daemon is ready, however long that took."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.1)
        machine.advance(time.monotonic() - before)


def allowed(machine: Mounted) -> int:
    """More is more power: the frequencies and power limits there are, added up."""
    return sum(int(text) for text in tunable_files(machine.root).values() if text.isdigit())


async def within(seconds: float, true: Any, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(true):
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds} s"
        await asyncio.sleep(0.05)


def cpu_sensor(machine: Mounted) -> str:
    [name] = [file for file in machine.root.glob("sys/class/hwmon/*/name") if file.read_text() == "coretemp\n"]
    return "/" + str((name.parent / "temp1_input").resolve().relative_to(machine.root))


def sensor() -> dict[str, Any]:
    return dict(next(one for one in gamesactl("sensors", "--json").document if one["Name"] == PACKAGE))


def test_a_critical_sensor_that_dies_or_lies_means_the_failsafe_settings_until_it_returns(
    bus: PrivateBus, tmp_path: Path
) -> None:
    with mounted("laptop/steady-game", tmp_path) as machine:
        found, file = tunable_files(machine.root), cpu_sensor(machine)
        with gamesad(tmp_path, places(machine, tmp_path), bus=bus.address) as daemon:
            machine.control("fail_sensor", file, errno.EIO)
            begun = time.monotonic()
            eventually(lambda: status()["Mode"] == "failsafe", "the failsafe mode")
            assert 2.0 < time.monotonic() - begun < 5.5
            assert tunable_files(machine.root) != found
            assert (sensor()["State"], sensor()["Reason"]) == ("absent", "EIO")
            machine.control("fail_sensor", file, None, "216000")
            eventually(lambda: sensor()["State"] == "rejected", "the rejection")
            assert sensor()["Reason"] == "216 is outside what is possible, -40 to 126"
            assert "Value" not in sensor()
            assert "critical sensor CPU package gives no value" in " ".join(gamesactl("explain").out.split())
            assert status()["Mode"] == "failsafe"
            machine.control("heal", file)
            eventually(lambda: status()["Mode"] == "active", "the end of it")
            eventually(lambda: tunable_files(machine.root) == found, "the return of the files")
            assert daemon.stop() == 0
        assert tunable_files(machine.root) == found
    said = daemon.log()
    assert f"warning: sensor {PACKAGE} gives no reading: EIO" in said
    assert said.count("error: conservative: critical sensor CPU package gives no value") == 1
    assert said.count("the failsafe settings are released") == 1


@pytest.mark.full
def test_a_critical_sensor_that_sticks_is_found_when_the_load_returns(bus: PrivateBus, tmp_path: Path) -> None:
    """Its chip is wedged in the menus of a game; then the fight begins. In real time, as the proof takes a minute."""
    with mounted("laptop/bursty-game", tmp_path) as machine:
        found, folder = tunable_files(machine.root), Path(cpu_sensor(machine)).parent
        files = [str(folder / file.name) for file in (machine.root / f".{folder}").glob("temp*_input")]
        machine.advance(85.0)
        with gamesad(tmp_path, places(machine, tmp_path), bus=bus.address) as daemon:
            asyncio.run(within(30, lambda: machine.truth()["time_s"] > 95.0, "the menus"))
            for file in files:
                machine.control("stick", file)
            asyncio.run(within(90, lambda: "conservative: critical sensor" in daemon.log(), "the failsafe mode"))
            assert machine.truth()["time_s"] < 135.0 + 35.0
            assert tunable_files(machine.root) != found
            assert sensor()["State"] == "rejected"
            assert "Value" not in sensor()
            reason = r"\d\d is stuck: unchanged for \d+ s while package power went from \d+ to \d+ W"
            assert re.fullmatch(reason, sensor()["Reason"])
            for file in files:
                machine.control("heal", file)
            eventually(lambda: status()["Mode"] != "failsafe", "the end of it")
            assert sensor()["State"] == "ok"
            assert daemon.stop() == 0
        assert tunable_files(machine.root) == found
    assert re.search(rf"warning: sensor {PACKAGE}: reading \d\d rejected, stuck: unchanged for \d+ s", daemon.log())


def status() -> dict[str, Any]:
    return dict(gamesactl("status", "--json").document)
