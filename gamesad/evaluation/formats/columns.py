"""What a column of somebody's log measures, from its header: quantity, scale, and what heats or feeds what."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gamesad.types import Heat, Quantity, Sensor

_UNITS: dict[str, tuple[Quantity, float]] = {
    "°c": (Quantity.TEMPERATURE, 1.0), "℃": (Quantity.TEMPERATURE, 1.0), "c": (Quantity.TEMPERATURE, 1.0),
    "celsius": (Quantity.TEMPERATURE, 1.0), "degc": (Quantity.TEMPERATURE, 1.0), "mc": (Quantity.TEMPERATURE, 1e-3),
    "m°c": (Quantity.TEMPERATURE, 1e-3), "°f": (Quantity.TEMPERATURE, 1 / 1.8), "f": (Quantity.TEMPERATURE, 1 / 1.8),
    "degf": (Quantity.TEMPERATURE, 1 / 1.8), "fahrenheit": (Quantity.TEMPERATURE, 1 / 1.8),
    "k": (Quantity.TEMPERATURE, 1.0), "kelvin": (Quantity.TEMPERATURE, 1.0),
    "w": (Quantity.POWER, 1.0), "watt": (Quantity.POWER, 1.0), "watts": (Quantity.POWER, 1.0),
    "mw": (Quantity.POWER, 1e-3), "uw": (Quantity.POWER, 1e-6),
    "%": (Quantity.UTILIZATION, 1e-2), "pct": (Quantity.UTILIZATION, 1e-2), "percent": (Quantity.UTILIZATION, 1e-2),
    "hz": (Quantity.FREQUENCY, 1.0), "khz": (Quantity.FREQUENCY, 1e3), "mhz": (Quantity.FREQUENCY, 1e6),
    "ghz": (Quantity.FREQUENCY, 1e9), "rpm": (Quantity.FAN, 1.0),
    "v": (Quantity.VOLTAGE, 1.0), "mv": (Quantity.VOLTAGE, 1e-3),
}  # fmt: skip
"""By the header's unit in small letters: the quantity, and its unit in ours."""
_FAHRENHEIT = 1 / 1.8
_ZERO_C = 273.15
_IN_BRACKETS = re.compile(r"[\[(]\s*([^\[\]()]{1,10}?)\s*[\])]\s*$")
_AT_END = re.compile(r"[_ ./](°?c|w|mw|pct|percent|mhz|khz|rpm|v|(?:deg)?[cf]|celsius|fahrenheit|kelvin|k|watts?|%)$")
_DEGREES = re.compile(r"[^a-z%/]{1,4}([cf])|deg(?:rees?)? ?([cf])")
"""°C as it is when a file went from one encoding to another."""
_PLACES = re.compile(
    r"(?:cpu|gpu|core|package|pkg|ccd|die|soc|socket|junction|edge|composite)"
    r"(?:[ _-]?(?:package|core|die|id|hot ?spot|\d+))*"
)
"""What has a temperature, where a name says nothing else."""
_BY_WORD = (
    (re.compile(r"temp|tctl|tdie|hot ?spot|junction|tmp$"), Quantity.TEMPERATURE),
    (re.compile(r"power|watt"), Quantity.POWER),
    (re.compile(r"load|usage|util|busy"), Quantity.UTILIZATION),
)
_NO_READING = re.compile(
    r"distance|limit|tjmax|threshold|grenz|abstand|距|限|阈|target|throttl|slowdown|shutdown|m(?:ax|in)imum|"
    r"load.?(?:a|\d+ ?m)"
)
"""Limits and what is left under them look like temperatures and powers, a load average like a load."""
_OTHER_LOAD = re.compile(r"mem|swap|disk|drive|page|vram|fan|batt")
_GPU = re.compile(
    r"gpu|graphics card|radeon|geforce|nvidia|hot ?spot|junction|vram|board power|power\.draw|video engine|d3d|tgp"
)
_CPU = re.compile(r"cpu|core|kern|tctl|tdie|ccd|package|pkg|processor|soc|l3|busy")
_NUMBER = re.compile(r"([-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?)\s*[^\d\s.,]{0,5}")

_FEEDS = (
    (Heat.CPU, Quantity.POWER, (r"package power|pkgwatt|cpu ppt|cpu.?package|cpu.?power", r"")),
    (Heat.CPU, Quantity.UTILIZATION, (r"total cpu|^cpu.?(?:load|usage|util|pct|busy)|^busy", r"^cpu|core usage")),
    (Heat.GPU, Quantity.POWER, (r"gpu.?power$|board power|graphics power|power\.draw|asic", r"gpu.?power|chip", r"")),
    (Heat.GPU, Quantity.UTILIZATION, (r"gpu core load|utilization\.gpu|gpu.?(?:load|usage|util|busy)", r"")),
)
"""Of the powers and loads of a processor or card the first that matches is the one of the whole."""
_THOUSANDTHS, _COOL_C, _HOT_C = 2000.0, 15.0, 115.0
_NOBODYS = re.compile(r"^(?:total |system |battery )?(?:power|watts?|load|usage|util|busy)")
"""Where the processor (in a log of a card alone: the card) has none, one with such a name is its own."""


@dataclass(frozen=True, slots=True)
class Column:
    """``scale`` and ``offset`` make the file's number the sensor's; 0: there is no unit, and the numbers show it."""

    place: int
    sensor: Sensor
    scale: float = 1.0
    offset: float = 0.0

    def measure(self, typical: float, highest: float) -> tuple[float, float, str]:
        """Scale and offset by its median and its highest number, and what of it is a guess: a plural, as for Tally."""
        if self.scale:
            return self.scale, self.offset, ""
        if self.sensor.quantity is Quantity.TEMPERATURE:
            return _guess(typical, named=_quantity(self.sensor.label.lower()) is not None)
        return 0.01 if highest > 1.5 else 1.0, 0.0, ""


def _guess(typical: float, *, named: bool) -> tuple[float, float, str]:
    """A temperature's; ``named``: it is known to be one."""
    scale, offset, told = 1.0, 0.0, ""
    if not named and not _COOL_C < typical < _HOT_C:
        scale, told = math.nan, "columns that only name a place left out, as their numbers are hardly °C"
    elif typical >= _THOUSANDTHS:
        scale, told = 1e-3, "columns without a unit taken for thousandths of a °C, as their numbers are so large"
    elif _ZERO_C - 20 < typical < _ZERO_C + 120:
        offset, told = -_ZERO_C, "columns without a unit taken for kelvins, as their numbers are those"
    elif typical > _HOT_C:
        told = "columns without a unit taken for °C that are very hot; if it is °F, write [°F] behind the name"
    elif not named:
        told = "columns that only name a place taken for its temperature in °C"
    return scale, offset, told


def columns(header: Sequence[str]) -> list[Column]:
    """Those of use, in order; the powers and loads that feed a place carry its ``heat``.

    Where no name speaks of a temperature, those that only name a place are taken for its temperature.
    """
    found = [one for place, text in enumerate(header) if (one := _column(place, text.strip()))]
    if not any(one.sensor.quantity is Quantity.TEMPERATURE for one in found):
        bare = [(place, text.strip()) for place, text in enumerate(header) if _PLACES.fullmatch(text.strip().lower())]
        found += [Column(place, temperature(label, label), 0.0) for place, label in bare]
    sensors = feeding([one.sensor for one in found])
    return [replace(one, sensor=sensor) for one, sensor in zip(found, sensors, strict=True)]


def feeding(sensors: Sequence[Sensor]) -> list[Sensor]:
    """The same, with the one power and the one load of the processor, and of the card, declared to be those."""
    labels = [sensor.label.lower() for sensor in sensors]
    places = {_heat(label) for label, one in zip(labels, sensors, strict=True) if one.quantity is Quantity.TEMPERATURE}
    heir = Heat.GPU if Heat.GPU in places and Heat.CPU not in places else Heat.CPU
    chosen: dict[int, Heat] = {}
    for heat, quantity, ranks in _FEEDS:
        own = [
            i for i, sensor in enumerate(sensors) if sensor.quantity is quantity and not _OTHER_LOAD.search(labels[i])
        ]
        ranked = [i for rank in ranks for i in own if _heat(labels[i]) is heat and re.search(rank, labels[i])]
        if heat is heir:
            ranked += [i for i in own if _heat(labels[i]) is Heat.OTHER and _NOBODYS.search(labels[i])]
        if ranked:
            chosen[ranked[0]] = heat
    return [
        sensor if sensor.quantity is Quantity.TEMPERATURE else replace(sensor, heat=chosen.get(i))
        for i, sensor in enumerate(sensors)
    ]


def temperature(name: str, label: str, heat: Heat | None = None) -> Sensor:
    heat = heat or _heat(label.lower())
    return Sensor(name, Quantity.TEMPERATURE, label, heat=heat, critical=heat is not Heat.OTHER)


def number(text: str) -> float:
    """NaN: no number. A unit may follow it ("21.8 W", "50 %"), and a comma be its point."""
    try:
        return float(text)
    except ValueError:
        match = _NUMBER.fullmatch(text.strip())
        return float(match[1].replace(",", ".")) if match else math.nan


def _column(place: int, header: str) -> Column | None:
    small = header.lower()
    if not header or _NO_READING.search(small):
        return None
    unit = _IN_BRACKETS.search(small) or _AT_END.search(small)
    named = _DEGREES.sub(r"deg\1\2", unit[1]) if unit and unit[1] not in _UNITS else unit[1] if unit else ""
    kelvin = named in {"k", "kelvin"}
    if named in _UNITS and not (kelvin and _quantity(small) is not Quantity.TEMPERATURE):
        quantity, scale = _UNITS[named]
    elif unit and unit.re is _IN_BRACKETS:
        return None
    else:
        fits = _quantity(small)
        if fits is None:
            return None
        quantity, scale = fits, 1.0 if fits is Quantity.POWER else 0.0
    label = _IN_BRACKETS.sub("", header).strip() or header
    offset = -32 / 1.8 if scale == _FAHRENHEIT else -_ZERO_C if kelvin and scale else 0.0
    if quantity is Quantity.TEMPERATURE:
        return Column(place, temperature(label, label), scale, offset)
    return Column(place, Sensor(label, quantity, label), scale, offset)


def _quantity(small: str) -> Quantity | None:
    return next((quantity for pattern, quantity in _BY_WORD if pattern.search(small)), None)


def _heat(label: str) -> Heat:
    if _GPU.search(label) and not (label.startswith("cpu") and "gpu" not in label):
        return Heat.GPU
    return Heat.CPU if _CPU.search(label) else Heat.OTHER
