"""Mains and batteries of /sys/class/power_supply (Documentation/ABI/testing/sysfs-class-power).

Microwatts, microamperes, microvolts, microwatt-hours, tenths of a degree; capacity in percent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gamesad.hardware.base import Sink, Source, integer
from gamesad.hardware.chips import word
from gamesad.hardware.driver_table import HIGHEST_C, LOWEST_C
from gamesad.hardware.sysfs import Sysfs, errno_name
from gamesad.types import Absence, Heat, Quantity, Rejection, Sensor

_CLASS = "/sys/class/power_supply"
_STATUSES = {"Unknown", "Charging", "Discharging", "Not charging", "Full"}


def probe_sources(sysfs: Sysfs) -> list[Source]:
    return [supply for entry in sysfs.list(_CLASS) if (supply := Supply.probe(sysfs, entry))]


@dataclass(frozen=True, slots=True)
class _Channel:
    """One sensor: the value from files' numbers, within ``low`` and ``high``. ``files`` are all needed."""

    name: str
    quantity: Quantity
    files: tuple[str, ...]
    value: Callable[..., float]
    low: float
    high: float


# 2 is "online, and the voltage can be chosen" (USB power delivery)
_ONLINE = _Channel("online", Quantity.LEVEL, ("online",), lambda online: 1.0 if online == 2 else float(online), 0, 1)
_TEMPERATURE = _Channel("temperature", Quantity.TEMPERATURE, ("temp",), lambda tenths: tenths / 10, LOWEST_C, HIGHEST_C)
_VOLTAGE = _Channel("voltage", Quantity.VOLTAGE, ("voltage_now",), lambda microvolt: microvolt / 1e6, 0, 500)
_CURRENT = _Channel("current", Quantity.CURRENT, ("current_now",), lambda microampere: microampere / 1e6, -1000, 1000)
_CHARGES = (
    _Channel("charge", Quantity.UTILIZATION, ("capacity",), lambda percent: percent / 100, 0, 1),
    _Channel("charge", Quantity.UTILIZATION, ("energy_now", "energy_full"), lambda now, full: now / full, 0, 1),
    _Channel("charge", Quantity.UTILIZATION, ("charge_now", "charge_full"), lambda now, full: now / full, 0, 1),
)
_POWERS = (
    _Channel("power", Quantity.POWER, ("power_now",), lambda microwatt: abs(microwatt) / 1e6, 0, 1000),
    _Channel("power", Quantity.POWER, ("current_now", "voltage_now"), lambda a, v: abs(a) * v / 1e12, 0, 1000),
)
_ENERGIES = (
    _Channel("energy", Quantity.ENERGY, ("energy_now",), lambda microwatt_hour: microwatt_hour * 3.6e-3, 0, 1e8),
    _Channel("energy", Quantity.ENERGY, ("charge_now", "voltage_now"), lambda ah, v: ah * v * 3.6e-9, 0, 1e8),
)


class Supply:
    """One supply. A battery's ``power`` is positive while it gives and negative while it takes.

    Drivers disagree on the sign of current_now and power_now, so ``status`` decides; ``current`` keeps the driver's
    sign. A battery is asked through the embedded controller, hence off the tick.
    """

    def __init__(self, sysfs: Sysfs, entry: str, channels: Sequence[_Channel], *, status: bool) -> None:
        self.name = f"power_supply.{word(entry)}"
        self.slow = status or all(channel.name == "charge" for channel in channels)
        self.period_s = 5.0 if self.slow else 1.0
        self._sysfs = sysfs
        self._folder = f"{_CLASS}/{entry}"
        self._channels = tuple(channels)
        self._status = f"{self.name}.status" if status else None
        self._handles: dict[str, int] = {}

    @classmethod
    def probe(cls, sysfs: Sysfs, entry: str) -> Supply | None:
        """None for a supply that has nothing to read. Of a peripheral's battery only the charge is of interest."""
        folder = f"{_CLASS}/{entry}"
        entries = set(sysfs.list(folder))
        kind, scope = (_text(sysfs, f"{folder}/{name}") for name in ("type", "scope"))
        if scope == "Device":
            wanted: list[tuple[_Channel, ...]] = [_CHARGES]
        elif kind in {"Battery", "UPS"}:
            wanted = [_CHARGES, _POWERS, _ENERGIES, (_TEMPERATURE,), (_VOLTAGE,), (_CURRENT,)]
        else:
            wanted = [(_ONLINE,), (_VOLTAGE,), (_CURRENT,)]
        found = [next((one for one in some if entries.issuperset(one.files)), None) for some in wanted]
        channels = [channel for channel in found if channel]
        status = scope != "Device" and kind in {"Battery", "UPS"} and "status" in entries
        return cls(sysfs, entry, channels, status=status) if channels or status else None

    def sensors(self) -> Sequence[Sensor]:
        label = self.name.partition(".")[2]
        sensors = [
            Sensor(
                f"{self.name}.{channel.name}",
                channel.quantity,
                f"{label} {channel.name}",
                driver="power_supply",
                heat=Heat.OTHER if channel.quantity is Quantity.TEMPERATURE else None,
                path=f"{self._folder}/{channel.files[0]}",
            )
            for channel in self._channels
        ]
        if self._status:
            path = f"{self._folder}/status"
            sensors.append(Sensor(self._status, Quantity.STATE, f"{label} status", driver="power_supply", path=path))
        return sensors

    def sample(self, now_s: float, sink: Sink) -> None:
        charging = self._status is not None and self._read_status(self._status, now_s, sink) == "Charging"
        for channel in self._channels:
            name = f"{self.name}.{channel.name}"
            try:
                value = channel.value(*(integer(self._read(file)) for file in channel.files))
            except OSError as error:
                self._forget(channel.files)
                sink.absent[name] = Absence(errno_name(error), now_s)
                continue
            except (ValueError, OverflowError, ZeroDivisionError):
                sink.absent[name] = Absence("unparseable", now_s)
                continue
            if channel.low <= value <= channel.high:
                sink.readings[name] = -value if charging and channel.quantity is Quantity.POWER else value
            else:
                sink.rejected[name] = Rejection(value, f"outside what is possible, {channel.low:g} to {channel.high:g}")

    def close(self) -> None:
        self._forget(tuple(self._handles))

    def _read_status(self, name: str, now_s: float, sink: Sink) -> str:
        try:
            status = self._read("status").decode(errors="replace").strip()
        except OSError as error:
            self._forget(("status",))
            sink.absent[name] = Absence(errno_name(error), now_s)
            return ""
        if status in _STATUSES:
            sink.states[name] = status
        else:
            sink.absent[name] = Absence("unparseable", now_s)
        return status

    def _read(self, file: str) -> bytes:
        handle = self._handles.get(file)
        if handle is None:
            handle = self._handles[file] = self._sysfs.open(f"{self._folder}/{file}")
        return self._sysfs.pread(handle, 64, 0)

    def _forget(self, files: Sequence[str]) -> None:
        """Open anew next time: a descriptor of a battery that was taken out stays dead."""
        for file in files:
            if (handle := self._handles.pop(file, None)) is not None:
                self._sysfs.close(handle)


def _text(sysfs: Sysfs, path: str) -> str:
    try:
        return sysfs.read(path)
    except OSError:
        return ""
