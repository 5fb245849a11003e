"""/sys/firmware/acpi/platform_profile: the firmware's own choice between quiet and fast, fans included.

Documentation/userspace-api/sysfs-platform_profile.rst and ABI/testing/sysfs-class-platform-profile. Firmware and Fn
keys change it too. The list of choices may be empty at first and fill when a driver loads. ``custom`` (several
drivers disagree, or every knob was set by hand) can be read and not written, so a machine found in it is left alone:
there would be no way back. Writing may move EPP and power limits. Firmware keeps the value over a reboot.
"""

from __future__ import annotations

from collections.abc import Sequence

from gamesad.hardware.base import Actuator, FileActuator, Sink, Source
from gamesad.hardware.chips import word
from gamesad.hardware.sysfs import Sysfs, errno_name
from gamesad.types import Absence, Quantity, Role, Sensor, Tunable

_ACPI = "/sys/firmware/acpi"
_CLASS = "/sys/class/platform-profile"
_ORDER = ("low-power", "cool", "quiet", "balanced", "balanced-performance", "performance", "max-power")
"""From least power to most."""


class ProfileSource:
    """The profile in force, a word."""

    slow = False
    period_s = 0.0

    def __init__(self, sysfs: Sysfs, sensor: Sensor) -> None:
        self.name = sensor.name
        self._sysfs = sysfs
        self._sensor = sensor
        self._absence: Absence | None = None

    def sensors(self) -> Sequence[Sensor]:
        return (self._sensor,)

    def sample(self, now_s: float, sink: Sink) -> None:
        cause = "unparseable"
        try:
            profile = self._sysfs.read(self._sensor.path)
        except OSError as error:
            profile, cause = "", errno_name(error)
        if profile and profile.isascii() and profile.isprintable():
            self._absence = None
            sink.states[self.name] = profile
            return
        if self._absence is None or self._absence.cause != cause:
            self._absence = Absence(cause, now_s)
        sink.absent[self.name] = self._absence

    def close(self) -> None:
        """Nothing is kept open: a driver that is reloaded replaces the file."""


def probe_sources(sysfs: Sysfs) -> list[Source]:
    return [
        ProfileSource(
            sysfs, Sensor(name, Quantity.STATE, "Platform profile", driver="platform_profile", path=f"{folder}/{file}")
        )
        for name, folder, file in _places(sysfs)
    ]


def probe_actuators(sysfs: Sysfs) -> list[Actuator]:
    tunables = []
    for name, folder, file in _places(sysfs):
        offered = _text(sysfs, f"{folder}/{_choices_file(file)}").split()
        choices = tuple(one for one in _ORDER if one in offered)
        if choices and _text(sysfs, f"{folder}/{file}") not in {"", "custom"}:
            path = f"{folder}/{file}"
            tunables.append(Tunable(name, Role.PLATFORM_PROFILE, "platform", path, choices=choices, persistent=True))
    return [FileActuator(sysfs, tunables)] if tunables else []


def _places(sysfs: Sysfs) -> list[tuple[str, str, str]]:
    """(name, folder, file): the ACPI node, which speaks for all drivers, else each driver's class device (6.14)."""
    if sysfs.exists(f"{_ACPI}/platform_profile"):
        return [("platform_profile", _ACPI, "platform_profile")]
    devices = [name for name in sysfs.list(_CLASS) if sysfs.exists(f"{_CLASS}/{name}/profile")]
    if len(devices) == 1:
        return [("platform_profile", f"{_CLASS}/{devices[0]}", "profile")]
    words = [word(_text(sysfs, f"{_CLASS}/{device}/name") or device) for device in devices]
    return [
        (f"platform_profile.{_numbered(words, place)}", f"{_CLASS}/{device}", "profile")
        for place, device in enumerate(devices)
    ]


def _numbered(words: Sequence[str], place: int) -> str:
    """The word there, told apart by number from those before it that are alike."""
    before = words[:place].count(words[place])
    return f"{words[place]}-{before + 1}" if before else words[place]


def _choices_file(file: str) -> str:
    return "platform_profile_choices" if file == "platform_profile" else "choices"


def _text(sysfs: Sysfs, path: str) -> str:
    try:
        return sysfs.read(path)
    except OSError:
        return ""
