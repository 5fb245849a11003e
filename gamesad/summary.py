"""The numbers of a status, from the readings of one moment: shared by the daemon and by clients that read its segment.

Imports nothing, so that a client pays for nothing else.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, without importing it
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, Protocol

    class Described(Protocol):
        """What is known of a sensor; ``quantity`` and ``heat`` are the words of gamesad.types."""

        @property
        def label(self) -> str: ...
        @property
        def quantity(self) -> str: ...
        @property
        def heat(self) -> str | None: ...

    class Forecast(Protocol):
        """By sensor, values and upper bounds at each horizon, and the probability that its limit is reached."""

        @property
        def horizon_s(self) -> Sequence[float]: ...
        @property
        def expected(self) -> Mapping[str, Sequence[float]]: ...
        @property
        def upper(self) -> Mapping[str, Sequence[float]]: ...
        @property
        def crossing(self) -> Mapping[str, float]: ...


_REGULATED = ("cpu", "gpu")
_SUPPLY = "power_supply."


def summary(
    sensors: Mapping[str, Described],
    readings: Mapping[str, float],
    states: Mapping[str, str],
    limits: Mapping[str, float],
    *,
    rejected: Iterable[str],
    faults: Iterable[str],
    forecast: Forecast | None = None,
) -> dict[str, Any]:
    """Temperatures nearest to their limit first, powers, frequencies, fans, load, battery; in the order of ``sensors``.

    ``limits``: target in °C by sensor. ``faults``: sensors without a reading that should have one. A key whose value is
    unknown is absent.
    """
    temperatures: dict[str, float] = {}
    power: dict[str, float] = {}
    frequency: dict[str, float] = {}
    fans: dict[str, float] = {}
    tables = {"temperature": temperatures, "power": power, "frequency": frequency, "fan": fans}
    for name, sensor in sensors.items():
        table = tables.get(sensor.quantity)
        if table is not None and name in readings:
            table[name] = rounded(sensor.quantity, readings[name])
    report: dict[str, Any] = {
        "Temperatures": _temperatures(sensors, temperatures, limits),
        "Power": power,
        "Frequency": frequency,
        "Fans": fans,
        "Utilization": {
            key: readings[f"{key}.utilization"] for key in ("cpu", "memory") if f"{key}.utilization" in readings
        },
        "Rejected": sorted(rejected),
        "Absent": sorted(faults),
    }
    headrooms = [
        (limit_c - readings[name], name)
        for name, limit_c in limits.items()
        if name in readings and sensors[name].heat in _REGULATED
    ]
    if headrooms:
        headroom_c, report["HottestSensor"] = min(headrooms)
        report["Headroom"] = round(headroom_c, 2)
    battery = on_battery(readings, states)
    if battery is not None:
        report["OnBattery"] = battery
    charges = [value for name, value in readings.items() if _is_supply(name, "charge")]
    if charges:
        report["Battery"] = min(charges)
    if forecast and forecast.crossing:
        report["Forecast"] = _likeliest(sensors, forecast)
    return report


def rounded(quantity: str, value: float) -> float:
    """As it is told: finer powers leak what the processor computes (CVE-2020-8694)."""
    return round(value, 1 if quantity == "power" else 4)


def on_battery(readings: Mapping[str, float], states: Mapping[str, str]) -> bool | None:
    """Whether the machine runs from its battery; None where nothing says so. Supplies of mice and the like have
    neither ``online`` nor ``status`` and do not count."""
    online = [value for name, value in readings.items() if _is_supply(name, "online")]
    if any(online):
        return False
    statuses = [state for name, state in states.items() if _is_supply(name, "status")]
    if "Discharging" in statuses:
        return True
    if not statuses:
        return None  # ports that give no power, and no battery known: a desktop, or a tree of part of a machine
    return bool(online)


def _likeliest(sensors: Mapping[str, Described], forecast: Forecast) -> dict[str, Any]:
    """Of the sensor that is likeliest to reach its limit."""
    chances = {name: round(chance, 2) for name, chance in forecast.crossing.items()}
    name = max(chances, key=lambda one: (chances[one], one))
    return {
        "Name": name,
        "Label": sensors[name].label if name in sensors else name,
        "Horizon": forecast.horizon_s[-1],
        "Expected": round(forecast.expected[name][-1], 1),
        "Upper": round(forecast.upper[name][-1], 1),
        "Crossing": chances[name],
    }


def _is_supply(name: str, channel: str) -> bool:
    return name.startswith(_SUPPLY) and name.endswith(f".{channel}")


def _temperatures(
    sensors: Mapping[str, Described], values: Mapping[str, float], limits: Mapping[str, float]
) -> list[dict[str, Any]]:
    """What is regulated first, each part nearest to its limit first, then by name: after a hotplug bus and segment may
    have their sensors in another order."""
    rows = []
    for name, value in values.items():
        row: dict[str, Any] = {"Name": name, "Label": sensors[name].label, "Value": value}
        rank = (2, -value, name)
        if name in limits:
            headroom_c = limits[name] - value
            row.update(Limit=limits[name], Headroom=round(headroom_c, 2))
            rank = (int(sensors[name].heat not in _REGULATED), headroom_c, name)
        rows.append((rank, row))
    rows.sort(key=lambda one: one[0])
    return [row for _, row in rows]
