"""A service that keeps everything in memory, for tests of the bus alone: the contract of gamesad.service, no machine.

``python -m tests.support.memory_service`` serves it on DBUS_SYSTEM_BUS_ADDRESS and prints each state of the connection;
``--exploding`` makes every method raise what nobody expected, ``--sensors N`` makes a big status.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import signal
import sys
from collections.abc import Callable

from gamesad.bus.connection import NameTaken, serve
from gamesad.errors import (
    ConfigError,
    NotAuthorized,
    OutOfRange,
    UnknownHold,
    UnknownProfile,
    UnknownSensor,
    UnknownTunable,
)

PROFILES = ("power-saver", "quiet", "balanced", "performance", "gaming")
SECRET = "/usr/lib/python3/secret.py"


class MemoryService:
    """Profiles by rank, holds, one tunable, one sensor. A change takes one turn of the loop, as a tick would."""

    version = "0.1.0-test"

    def __init__(self, sensor_count: int = 8) -> None:
        self._listeners: list[Callable[[str, object], None]] = []
        self._selected = "balanced"
        self._holds: dict[int, tuple[dict[str, object], str, int]] = {}
        self._cookies = itertools.count(1)
        self._governor = "schedutil"
        self._limits: dict[str, object] = {}
        self._mode = "active"
        self._slept: list[str] = []
        self._hinted = 0
        self._checkpoints = 0
        self._policy = "shadow"
        self._reset: list[str] = []
        self._sensors = [f"hwmon.test-{number}.temp1" for number in range(sensor_count)]
        self._told = self.properties()

    def properties(self) -> dict[str, object]:
        return {
            "Version": self.version,
            "ActiveProfile": self._active(),
            "SelectedProfile": self._selected,
            "Profiles": [{"Name": name, "Rank": rank, "Description": name} for rank, name in enumerate(PROFILES)],
            "Holds": [hold for hold, _, _ in self._holds.values()],
            "Mode": self._mode,
            "ThermalState": "cool",
            "LastDecision": {
                "Action": "noop",
                "Source": "user",
                "Reason": "nothing to do",
                "Settings": {},
                "Since": 1.5,
            },
            "Components": {"bus": "on", "crystal": "off"},
        }

    def status(self) -> dict[str, object]:
        return {
            "Simulated": True,
            "Version": self.version,
            "ActiveProfile": self._active(),
            "Mode": self._mode,
            "Headroom": 12.5,
            "Temperatures": [
                {"Name": name, "Label": "CPU", "Value": 61.25, "Limit": 95.0, "Headroom": 33.75}
                for name in self._sensors
            ],
            "Power": {"package-0": 17.3},
            "Fans": {"cpu_fan": 1450.0},
            "Holds": [hold for hold, _, _ in self._holds.values()],
            "Limits": dict(self._limits),
            "Governor": self._governor,
            "Rejected": [],
            "Slept": list(self._slept),
        }

    def sensors(self) -> list[dict[str, object]]:
        return [{"Name": name, "Quantity": "temperature", "Unit": "°C", "Value": 61.25} for name in self._sensors]

    async def tunables(self) -> list[dict[str, object]]:
        return [
            {
                "Name": "cpufreq.policy0.scaling_governor",
                "Choices": ["powersave", "performance"],
                "Value": self._governor,
            }
        ]

    def decisions(self, count: int) -> list[dict[str, object]]:
        return [{"Action": "noop", "Number": number} for number in range(min(count, 3))]

    def subscribe(self, listener: Callable[[str, object], None]) -> None:
        self._listeners.append(listener)

    async def set_profile(self, name: str, *, uid: int) -> None:
        self._known(name)
        await asyncio.sleep(0)
        self._selected = name
        self.tell("ProfileChanged", (self._active(), f"selected by uid {uid}"))
        self._changed()

    async def hold_profile(self, profile: str, reason: str, application_id: str, *, owner: str, uid: int) -> int:
        self._known(profile)
        await asyncio.sleep(0)
        cookie = next(self._cookies)
        hold: dict[str, object] = {
            "Cookie": cookie, "Profile": profile, "Reason": reason, "ApplicationId": application_id,
        }  # fmt: skip
        self._holds[cookie] = (hold, owner, uid)
        self._changed()
        return cookie

    async def release_profile(self, cookie: int, *, uid: int) -> None:
        if cookie not in self._holds:
            raise UnknownHold(f"there is no hold {cookie}")
        if uid not in (0, self._holds[cookie][2]):
            raise NotAuthorized("the hold belongs to another user")
        del self._holds[cookie]
        self._changed()

    async def release_owner(self, owner: str) -> None:
        self._holds = {cookie: row for cookie, row in self._holds.items() if row[1] != owner}
        self._changed()

    async def set_tunable(self, name: str, value: str | int, revert_after_s: int, *, uid: int) -> None:
        self._governor = str(self._tunable(name) and value)
        self.tell(
            "DecisionMade", {"Action": "noop", "Source": "user", "Settings": {name: value}, "Reason": f"uid {uid}"}
        )

    async def confirm_tunable(self, name: str) -> None:
        self._tunable(name)

    async def reset_tunable(self, name: str) -> None:
        self._tunable(name)
        self._governor = "schedutil"

    async def set_limit(self, name: str, value: float, *, uid: int) -> None:
        if name not in self._sensors:
            raise UnknownSensor(f"there is no sensor {name}")
        if not 30.0 <= value <= 95.0:
            raise OutOfRange("a limit is 30 to 95 °C")
        self._limits[name] = value
        self.tell("ThermalAlert", {"Sensor": name, "Value": 61.25, "Limit": value, "Active": True, "Sentence": "warm"})

    async def clear_limit(self, name: str) -> None:
        self._limits.pop(name, None)

    async def pause(self, seconds: int) -> None:
        self._mode = f"paused {seconds}"
        self.tell("StatusChanged", self.status())

    async def resume(self) -> None:
        self._mode = "active"

    async def reload_config(self) -> None:
        raise ConfigError(["/etc/gamesad/gamesad.toml:3: temperatur: unknown key; did you mean temperature?"])

    async def history(self, sensor: str, since_us: int, until_us: int, points: int) -> list[object]:
        if sensor not in self._sensors:
            raise UnknownSensor(f"there is no sensor {sensor}")
        return [(since_us + number, 1.0, 2.0, 3.5) for number in range(min(points, 3))]

    async def crystal_stats(self) -> dict[str, object]:
        return {"Size": 4096, "Fragmentation": 0.25, "Tiers": {"hot": 4096, "cold": 0}, "Hinted": self._hinted}

    async def compact_crystal(self) -> None:
        """Nothing here to be packed."""

    async def apply_layout(self, plan: str) -> dict[str, object]:
        return {"Moved": 1, "Plan": plan}

    async def crystal_hint(self, addresses: list[int]) -> None:
        self._hinted += len(addresses)

    async def neural_status(self) -> dict[str, object]:
        return {
            "State": "learning",
            "Seed": 7,
            "Forecast": {
                "Horizons": [1, 2, 3, 4, 5],
                "Sensors": [
                    {"Sensor": name, "Skill": 0.125, "Samples": 600, "Members": {"persistence": 0.25, "ridge": 0.75}}
                    for name in self._sensors
                ],
            },
            "Policy": {"Mode": self._policy, "Inputs": {"headroom": 12.5}, "Proposals": []},
            "Anomalies": {"Active": [{"Sensor": self._sensors[0], "Since": 5.0, "Active": True}], "Recent": []},
            "Life": {"Checkpoints": self._checkpoints, "Yielded": {"training": 0}, "Reset": list(self._reset)},
        }

    async def checkpoint_models(self) -> None:
        self._checkpoints += 1

    async def reset_models(self, which: str) -> None:
        self._reset.append(which)
        about = {"Sensor": self._sensors[0], "Sentence": "odd", "Score": 3.5, "Threshold": 2.0, "Since": 5.0}
        self.tell("AnomalyDetected", {**about, "Active": False, "Until": 9.5})

    async def set_policy_mode(self, mode: str) -> None:
        self._policy = mode

    async def sleep(self) -> None:
        self._slept.append("sleep")

    async def wake(self) -> None:
        self._slept.append("wake")

    async def rival(self, name: str, *, present: bool) -> None:
        """Who else sets the controls is nothing to this service."""

    def tell(self, event: str, payload: object) -> None:
        for listener in self._listeners:
            listener(event, payload)

    def _active(self) -> str:
        held = [str(hold["Profile"]) for hold, _, _ in self._holds.values()]
        return min(held, key=PROFILES.index) if held else self._selected

    def _changed(self) -> None:
        now = self.properties()
        changed = {name: value for name, value in now.items() if value != self._told[name]}
        self._told = now
        self.tell("PropertiesChanged", changed)

    def _known(self, profile: str) -> None:
        if profile not in PROFILES:
            raise UnknownProfile(f"there is no profile {profile}; there are {', '.join(PROFILES)}")

    def _tunable(self, name: str) -> bool:
        if name != "cpufreq.policy0.scaling_governor":
            raise UnknownTunable(f"there is no tunable {name}")
        return True


class ExplodingService(MemoryService):
    """Raises what nobody expected, with a path in its text, wherever it is asked for something."""

    def __getattribute__(self, name: str) -> object:
        if name.startswith("_") or name in ("subscribe", "version", "tell", "properties", "release_owner"):
            return super().__getattribute__(name)

        def explode(*arguments: object, **named: object) -> object:
            raise ZeroDivisionError(f"{SECRET}: line 13, {arguments} {named}")

        return explode


async def run(service: MemoryService) -> int:
    """Serves until SIGTERM; 1 if the name is taken."""
    serving = asyncio.create_task(serve(service, on_state=lambda state: print(state, flush=True)))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        return 0
    except NameTaken as error:
        print(f"taken: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--exploding", action="store_true")
    parser.add_argument("--sensors", type=int, default=8)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    chosen = ExplodingService() if options.exploding else MemoryService(options.sensors)
    sys.exit(asyncio.run(run(chosen)))
