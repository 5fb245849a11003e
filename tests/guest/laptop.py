"""The guest with gamesad on it, installed as a person does, and what its tests look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gamesad.messages import Message
from tests.guest.firmware import REST_C
from tests.guest.machine import Guest, booted, wait_until
from tests.support.cache import cached

CPUFREQ = "/sys/devices/system/cpu/cpufreq"
PROFILE = "/sys/firmware/acpi/platform_profile"
ZONE = "/sys/class/thermal/thermal_zone0"
CONTROLS = (
    *(f"{CPUFREQ}/policy{number}/{file}" for number in (0, 1) for file in ("scaling_governor", "scaling_max_freq")),
    *(f"{CPUFREQ}/policy{number}/scaling_min_freq" for number in (0, 1)),
    PROFILE,
)
FOUND = ("performance", "3000000", "performance", "3000000", "1200000", "1200000", "balanced")
COOL_C, HOT_C = 60.0, 89.0
LIMIT_C = 88.5
"""5 °C under the hot trip, and 1.5 °C under that, where gamesad regulates."""
FULL, LOWEST = [30, 30], [12, 12]
"""What stands in the performance registers at 3 GHz and at 1.2 GHz."""

_WISHES = "/var/lib/gamesad/state.json"
"""What somebody has chosen, kept over a restart."""
_BUS = "org.gamesa.Gamesad1 /org/gamesa/Gamesad1 org.gamesa.Gamesad1"


class Laptop(Guest):
    """A guest on which gamesad is enabled and runs."""

    _cursor = ""

    def controls(self) -> tuple[str, ...]:
        """What every tunable's file holds now."""
        return tuple(self.agent.read_all(CONTROLS))

    def as_found(self) -> bool:
        return self.controls() == FOUND

    def _was_hot(self) -> bool:
        return any(entry.get("MESSAGE_ID") == Message.FAILSAFE.message_id for entry in self.entries())

    def forget(self) -> None:
        """The journal that was read so far is not read again."""
        self._cursor = (
            self.run("journalctl -n 1 -o export --output-fields=__CURSOR").out.split("__CURSOR=")[1].split()[0]
        )

    def entries(self, *matches: str) -> list[dict[str, Any]]:
        """The journal's entries since ``forget``, of gamesad and about it, oldest first."""
        since = f"--after-cursor='{self._cursor}'" if self._cursor else "-b"
        told = self.run(f"journalctl {since} -o json --all --no-pager -q {' '.join(matches or ('-u gamesad',))}").out
        return [json.loads(line) for line in told.splitlines()]

    def said(self, part: str, **fields: str) -> dict[str, Any] | None:
        """The first entry with this text in it and these values in its fields."""
        for entry in self.entries():
            if part in str(entry.get("MESSAGE")) and all(entry.get(key) == value for key, value in fields.items()):
                return entry
        return None

    def wait_said(self, part: str, timeout_s: float = 120.0, **fields: str) -> dict[str, Any]:
        found: list[dict[str, Any] | None] = []
        wait_until(lambda: found.append(self.said(part, **fields)) or found[-1], f"{part!r} in the journal", timeout_s)
        assert found[-1] is not None
        return found[-1]

    def wait_as_found(self, timeout_s: float = 120.0) -> None:
        wait_until(self.as_found, "everything as found", timeout_s)

    def active(self) -> bool:
        return self.run("systemctl is-active gamesad", check=False).out.strip() == "active"

    def calm(self) -> None:
        """Near its limit, at the mains, gamesad at work, everything as found."""
        if not self.active() or self._was_hot():
            # A new one: this one would give back what it took only step by step.
            self.firmware.start()
            self.run("systemctl reset-failed; systemctl restart gamesad")
        else:
            self.pause()  # a jump of the temperature is not taken for a rise
            self.firmware.start()
            wait_until(lambda: self.status("Headroom") == LIMIT_C - REST_C, "gamesad to see what the zone reads", 20.0)
            assert self.bus("Resume") == ""
            if self.bus_property("ActiveProfile") != "balanced":
                assert self.bus("SetProfile s balanced") == ""
        self.firmware.announce_all()
        self.wait_as_found()
        self.forget()

    def forget_wishes(self) -> None:
        """As if nobody had ever chosen a profile."""
        if self.read(_WISHES) != "ENOENT":
            self.run(f"systemctl stop gamesad; rm {_WISHES}; systemctl start gamesad")

    def power_cut(self, then: Callable[[], None] = lambda: None) -> None:
        super().power_cut(then)
        self._cursor = ""  # the end of the journal was not on the disk

    def heat(self) -> float:
        """Over its limit, until it is throttled: seconds from the firmware's change to the processor's register."""
        assert self.pstates == FULL
        self.firmware.temperature_c = HOT_C
        return wait_until(lambda: self.pstates != FULL, "a lower performance state", 10.0, pause_s=0.005)

    def throttled(self) -> bool:
        return all(now < full for now, full in zip(self.pstates, FULL, strict=True))

    def unit(self, name: str) -> str:
        """One of the unit's properties."""
        return self.run(f"systemctl show gamesad --value -p {name}").out.strip()

    def bus(self, call: str, user: str = "") -> str:
        """A method with its signature and arguments, as busctl wants them: "" when it is done, else the error."""
        return self.run(f"busctl call {_BUS} {call}", user=user, check=False).err.removeprefix("Call failed: ").strip()

    def bus_property(self, name: str) -> str:
        """A text that the daemon serves."""
        return self.run(f"busctl get-property {_BUS} {name}").out.split('"')[1]

    def tick_s(self) -> float:
        """When the daemon ticked last, by the guest's clock."""
        return float(self.status("Time"))

    def status(self, name: str) -> Any:
        """A value of the daemon's status."""
        return json.loads(self.run(f"busctl --json=short call {_BUS} GetStatus").out)["data"][0][name]["data"]

    def pause(self) -> None:
        """Everything goes back at once."""
        assert self.bus("Pause u 60") == ""


def installed(release: str, debs: Iterable[Path]) -> Path:
    """The snapshot of a guest where ``dpkg --install`` and ``systemctl enable --now gamesad`` have been done."""
    debs = list(debs)

    def make(folder: Path) -> None:
        with Laptop(release) as laptop:
            laptop.push(debs, "/run/debs")
            laptop.run("dpkg --install /run/debs/*.deb && rm -r /run/debs", timeout_s=300)
            assert not laptop.active(), "enable --now is the user's word, not the package's"
            laptop.run("systemctl enable --now gamesad", timeout_s=120)
            laptop.run("gamesactl status", timeout_s=120)
            laptop.save(folder)

    return cached(f"installed-{release}", [str(booted(release)), Path(__file__), *debs], make)
