"""A booted Debian with a simulated machine's hardware, for gamesad to be installed on: what these tests drive."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.container.machine import Container, booted, eventually
from tests.support.fuse_machine import Mounted, mounted
from tests.support.values import tunable_files

_HOT_ROOM_C = 40.0
_UNTIL_HOT_S = 200.0
_DROP_INS = "run/systemd/system/gamesad.service.d"
_FORGET = f"""
systemctl stop gamesad
rm -rf /var/lib/gamesad /run/gamesad
[ ! -d /{_DROP_INS} ] || {{ rm -r /{_DROP_INS}; systemctl daemon-reload; }}
systemctl reset-failed
"""


class Computer(Container):
    """``found`` is what every tunable's file held before gamesad came. The hardware's time stands still."""

    hardware: Mounted
    found: dict[str, str]
    _cursor = ""

    def install(self, debs: Sequence[Path]) -> str:
        """What dpkg prints, the scripts' complaints too."""
        return self.tell("sh", "-c", f"dpkg --install {' '.join(self.bring(debs))} 2>&1")

    def bring(self, debs: Sequence[Path]) -> list[str]:
        """Puts packages where the container sees them; their paths in there."""
        place = self.root / "run/debs"
        place.mkdir(exist_ok=True)
        for deb in debs:
            shutil.copy(deb, place)
        return [f"/run/debs/{deb.name}" for deb in debs]

    def controls(self) -> dict[str, str]:
        """What every tunable's file holds now."""
        return tunable_files(self.hardware.root)

    def as_found(self) -> bool:
        return self.controls() == self.found

    def heat(self) -> None:
        """Every core compiles in a hot room until the processor is at its limit."""
        self.hardware.control("ambient", _HOT_ROOM_C)
        self.hardware.advance(_UNTIL_HOT_S)

    def throttle(self) -> None:
        """Heats it, until gamesad has taken power away."""
        self.heat()
        self.wait_throttled()

    def wait_throttled(self) -> None:
        eventually(lambda: not self.as_found(), "the throttling")
        self.wait_said("throttle: ")

    def wait_as_found(self, timeout_s: float = 120.0) -> None:
        """Until every file holds what it did before gamesad came."""
        eventually(self.as_found, "the machine as found", timeout_s)

    def said(self, *matches: str) -> list[str]:
        """What the journal has of gamesad and of systemd about it, since the last ``forget``."""
        since = [f"--after-cursor={self._cursor}"] if self._cursor else []
        return self.messages(*since, *(matches or ("--unit=gamesad",)))

    def wait_said(self, part: str, timeout_s: float = 120.0) -> str:
        """The first entry with this text in it."""
        return eventually(lambda: next((text for text in self.said() if part in text), ""), repr(part), timeout_s)

    def forget(self) -> None:
        """A fresh machine, gamesad stopped, its state, drop-ins and failures gone."""
        self.tell("sh", "-c", _FORGET)
        self.hardware.reset()
        self._cursor = str(self.journal("--lines=1")[-1]["__CURSOR"])

    def start(self, drop_in: str = "") -> None:
        """Starts the service, with this drop-in."""
        if drop_in:
            (self.root / _DROP_INS).mkdir(parents=True)
            (self.root / _DROP_INS / "test.conf").write_text(drop_in)
            self.tell("systemctl", "daemon-reload")
        self.tell("systemctl", "start", "gamesad")

    def version(self) -> str:
        """What the daemon at work says it is."""
        return self.property("Version")

    def property(self, name: str) -> str:
        """A text that the daemon serves on the bus."""
        bus = ("org.gamesa.Gamesad1", "/org/gamesa/Gamesad1", "org.gamesa.Gamesad1")
        return self.tell("busctl", "get-property", *bus, name).split('"')[1]


@contextmanager
def computer(release: str, folder: Path) -> Iterator[Computer]:
    """A booted computer without gamesad on it. Fanless: few files are soon read, and that one gets hot."""
    with (
        mounted("fanless/compile", folder, speed=0.0, paths_last_s=60.0) as hardware,
        booted(release, hardware=hardware.root, of=Computer) as machine,
    ):
        machine.hardware = hardware
        machine.found = machine.controls()
        yield machine
