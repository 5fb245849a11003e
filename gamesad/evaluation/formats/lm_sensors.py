"""The output of sensors(1), again and again in one file: ``sensors -j``, ``sensors -u`` and plain ``sensors``.

A time may stand before each (``date +%s; sensors -j``); without one a second between two is assumed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace

from gamesad.errors import Failed
from gamesad.evaluation.formats.columns import number
from gamesad.evaluation.formats.stamps import Stamps
from gamesad.evaluation.series import Table
from gamesad.evaluation.text import Source
from gamesad.types import Heat, Quantity, Sensor

Moment = dict[str, tuple[Sensor, float]]
_CHIPS = {
    Heat.CPU: ("coretemp", "k10temp", "k8temp", "zenpower", "fam15h_power", "cpu_thermal", "cpu-thermal"),
    Heat.GPU: ("amdgpu", "radeon", "nouveau", "i915", "xe"),
}
_KINDS = {
    "temp": Quantity.TEMPERATURE, "power": Quantity.POWER, "fan": Quantity.FAN, "in": Quantity.VOLTAGE,
    "freq": Quantity.FREQUENCY,
}  # fmt: skip
_UNITS = {
    "°C": Quantity.TEMPERATURE, "C": Quantity.TEMPERATURE, "W": Quantity.POWER, "mW": Quantity.POWER,
    "RPM": Quantity.FAN, "V": Quantity.VOLTAGE, "mV": Quantity.VOLTAGE, "MHz": Quantity.FREQUENCY,
}  # fmt: skip
_SCALES = {"mW": 1e-3, "mV": 1e-3, "MHz": 1e6}
_KEY = re.compile(r"(temp|power|fan|in|freq)(\d+)_(input|average)")
_VALUE = re.compile(r"(.+?):\s+([-+]?\d+(?:\.\d+)?)\s*(°C|C|mW|W|RPM|mV|V|MHz)\b.*")
_RAW = re.compile(r"\s+(\w+): ([-+]?\d+(?:\.\d+)?)\s*")
_CHIP = re.compile(r"[\w.-]+-(?:isa|pci|acpi|virtual|i2c|spi|hid|mdio|scsi)-[\w-]+")
_TIMES = ("time", "timestamp", "time_s", "ts", "t", "date", "datetime", "epoch", "elapsed", "elapsed_s")
_PERIOD_S = 1.0


def recognises(head: str) -> bool:
    return "Adapter" in head and _CHIP.search(head) is not None


def parse(source: Source) -> Table:
    as_json = '"Adapter"' in source.text
    moments = list(_documents(source) if as_json else _blocks(source))
    if not moments:
        raise Failed(f"{source.path} holds not one whole output of sensors; was it cut off?")
    sensors: dict[str, Sensor] = {}
    for _, _, moment in moments:
        for name, (sensor, _value) in moment.items():
            sensors.setdefault(name, sensor)
    rows = [[moment[name][1] if name in moment else math.nan for name in sensors] for _, _, moment in moments]
    stamps = Stamps()
    times = [stamps.seconds(text) for _, text, _ in moments]
    known = [at_s for at_s in times if at_s is not None]
    if len(known) < len(times):
        source.tally.note(f"there is no time before each output; {_PERIOD_S:g} s between two assumed")
        known = [_PERIOD_S * number_ for number_ in range(len(times))]
    return Table(list(sensors.values()), known, rows, [line for line, _, _ in moments])


def _documents(source: Source) -> Iterator[tuple[int, str, Moment]]:
    """Line, text before, and readings of each JSON document; a damaged one is left out."""
    decoder, text = json.JSONDecoder(), source.text
    at, line, before = 0, 1, ""
    while (begin := text.find("{", at)) >= 0:
        before = text[at:begin].strip() or before
        line += text.count("\n", at, begin)
        try:
            document, end = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            source.tally.count("JSON documents that are damaged or cut off left out", line)
            end = next((found + 1 for found in [text.find("\n{", begin + 1)] if found >= 0), len(text))
            at, line, before = end, line + text.count("\n", begin, end), ""
            continue
        yield line, before.split("\n")[-1].strip(" ,[]=#*") or _time(document), _of_json(_chips(document))
        line += text.count("\n", begin, end)
        at, before = end, ""


def _time(document: object) -> str:
    """What somebody's script put beside the chips."""
    keys = document if isinstance(document, dict) else {}
    return next((str(keys[key]) for key in keys if key.lower().strip("@_") in _TIMES), "")


def _chips(document: object) -> dict[str, object]:
    """The part that sensors wrote, however it is wrapped."""
    if not isinstance(document, dict):
        return {}
    if any(isinstance(chip, dict) and "Adapter" in chip for chip in document.values()):
        return document
    return next((found for part in document.values() if (found := _chips(part))), {})


def _of_json(document: dict[str, object]) -> Moment:
    moment: Moment = {}
    for chip, features in document.items():
        for label, values in features.items() if isinstance(features, dict) else ():
            for key, value in values.items() if isinstance(values, dict) else ():
                match = _KEY.fullmatch(key)
                if match and isinstance(value, int | float) and not isinstance(value, bool):
                    _put(moment, _sensor(chip, match[1] + match[2], label, _KINDS[match[1]]), float(value))
    return moment


def _blocks(source: Source) -> Iterator[tuple[int, str, Moment]]:
    """The same of text: another output begins where a chip comes again."""
    moment: Moment = {}
    chips: set[str] = set()
    chip = label = before = stamp = ""
    began = 1
    for line, text in source.lines():
        if _CHIP.fullmatch(text.strip()):
            chip = text.strip()
            if chip in chips:
                yield began, before, moment
                moment, chips, before = {}, set(), ""
            if not chips:
                began, before, stamp = line, stamp, ""
            chips.add(chip)
        elif match := _RAW.fullmatch(text):
            if key := _KEY.fullmatch(match[1]):
                _put(moment, _sensor(chip, key[1] + key[2], label, _KINDS[key[1]]), float(match[2]))
        elif match := _VALUE.fullmatch(text.strip()):
            unit = match[3]
            label = match[1].strip()
            sensor = _sensor(chip, label, label, _UNITS[unit])
            _put(moment, sensor, number(match[2]) * _SCALES.get(unit, 1.0))
        elif text.strip() and not text.startswith("Adapter"):
            label = text.strip().removesuffix(":")
            stamp = label if Stamps().seconds(label) is not None else stamp
    if moment:
        yield began, before, moment


def _sensor(chip: str, key: str, label: str, quantity: Quantity) -> Sensor:
    """Named as the daemon names what it reads of the same files, so that what feeds what is known."""
    sensor = Sensor(f"hwmon.{chip}.{key}", quantity, f"{chip} {label}", driver=chip.partition("-")[0])
    if quantity is not Quantity.TEMPERATURE:
        return sensor
    heat = next((heat for heat, drivers in _CHIPS.items() if chip.startswith(drivers)), Heat.OTHER)
    return replace(sensor, heat=heat, critical=heat is not Heat.OTHER)


def _put(moment: Moment, sensor: Sensor, value: float) -> None:
    moment.setdefault(sensor.name, (sensor, value))
