"""NVIDIA cards on NVIDIA's own driver: what NVML measures, and the power limit. Written from NVML's documentation.

(nouveau is an ordinary hwmon chip, see gpu.py.) What a card or driver does not support ("N/A", "Not Supported") is not
declared; what fails otherwise is absent with its errno name. Clocks and voltages are never set.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gamesad.hardware import driver_table, drivers
from gamesad.hardware.base import Sink
from gamesad.hardware.cards import Card
from gamesad.hardware.nvml import POWER_LIMIT, UNSUPPORTED, NotInstalled, Nvml, field_value
from gamesad.hardware.sysfs import errno_name
from gamesad.types import NO_LIMITS, Absence, Heat, Quantity, Rejection, Role, Sensor, SensorLimits, Tunable, Value

CONTROL = "/dev/nvidiactl"
_HIDDEN = "no /dev/nvidiactl here: in the service's sandbox it takes the drop-in nvidia.conf"
_LEAST_PART = 0.25
_NOT_AVAILABLE = (1 << 64) - 1

_REASONS = {
    "GpuIdle": "idle",
    "ApplicationsClocksSetting": "application_clocks",
    "SwPowerCap": "sw_power_cap",
    "HwSlowdown": "hw_slowdown",
    "SyncBoost": "sync_boost",
    "SwThermalSlowdown": "sw_thermal",
    "HwThermalSlowdown": "hw_thermal",
    "HwPowerBrakeSlowdown": "hw_power_brake",
    "DisplayClockSetting": "display_clocks",
}
"""nvmlClocksThrottleReason* → our word."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question, and the sensors that its answer fills."""

    function: str
    arguments: tuple[Any, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """``value`` is taken from the answer, and can be true within ``low``..``high``."""

    suffix: str
    quantity: Quantity
    label: str
    value: Callable[[Any], float]
    low: float
    high: float


def _percent(what: str) -> Callable[[Any], float]:
    return lambda answer: float(getattr(answer, what)) / 100


def _bytes(what: str) -> Callable[[Any], float]:
    return lambda answer: float(getattr(answer, what))


def _clock(suffix: str, kind: str, label: str) -> Query:
    row = Row(suffix, Quantity.FREQUENCY, label, lambda mhz: float(mhz) * 1e6, 0.0, 2e10)
    return Query("nvmlDeviceGetClockInfo", (kind,), (row,))


def _celsius(suffix: str, label: str, value: Callable[[Any], float]) -> tuple[Row, ...]:
    # 0 °C is what a memory without a sensor reads
    return (Row(suffix, Quantity.TEMPERATURE, label, value, 1.0, driver_table.HIGHEST_C),)


_QUERIES = (
    Query("nvmlDeviceGetTemperature", ("NVML_TEMPERATURE_GPU",), _celsius("temperature", "GPU", float)),
    Query(
        "nvmlDeviceGetFieldValues", (["NVML_FI_DEV_MEMORY_TEMP"],), _celsius("mem_temperature", "memory", field_value)
    ),
    Query(
        "nvmlDeviceGetPowerUsage",
        (),
        (Row("power", Quantity.POWER, "power", lambda milliwatts: float(milliwatts) / 1000, 0.0, 10_000.0),),
    ),
    _clock("graphics_clock", "NVML_CLOCK_GRAPHICS", "graphics clock"),
    _clock("memory_clock", "NVML_CLOCK_MEM", "memory clock"),
    Query(
        "nvmlDeviceGetUtilizationRates",
        (),
        (
            Row("gpu_busy", Quantity.UTILIZATION, "busy", _percent("gpu"), 0.0, 1.0),
            Row("mem_busy", Quantity.UTILIZATION, "memory busy", _percent("memory"), 0.0, 1.0),
        ),
    ),
    Query(
        "nvmlDeviceGetMemoryInfo",
        (),
        (
            Row("vram_used", Quantity.SIZE, "memory used", _bytes("used"), 0.0, 2.0**50),
            Row("vram_total", Quantity.SIZE, "memory", _bytes("total"), 0.0, 2.0**50),
        ),
    ),
)
_THROTTLE = "nvmlDeviceGetCurrentClocksThrottleReasons"


class NvmlSource:
    """Everything NVML measures of one card. Without NVML one sensor stands for it, absent with the reason."""

    def __init__(self, card: Card, nvml: Nvml) -> None:
        self._card = card
        self._nvml = nvml
        self._missing: Absence | None = None
        self._queries: list[tuple[Query, tuple[Sensor, ...]]] = []
        self._throttle: Sensor | None = None
        self._describe()

    def sensors(self) -> Sequence[Sensor]:
        if self._missing:
            return (self._named("nvml", Quantity.STATE, "NVML"),)
        measured = [sensor for _query, sensors in self._queries for sensor in sensors]
        return (*measured, self._throttle) if self._throttle else tuple(measured)

    def sample(self, now_s: float, sink: Sink) -> None:
        if self._missing:
            sink.absent[f"gpu.{self._card.name}.nvml"] = self._missing
            return
        for query, sensors in self._queries:
            try:
                answer = self._nvml.ask(query.function, *query.arguments)
                values = [row.value(answer) for row in query.rows]
            except OSError as error:
                sink.absent.update((sensor.name, Absence(_cause(error), now_s)) for sensor in sensors)
                continue
            for row, sensor, value in zip(query.rows, sensors, values, strict=True):
                if value == float(_NOT_AVAILABLE):
                    sink.absent[sensor.name] = Absence("not available", now_s)
                elif row.low <= value <= row.high:
                    sink.readings[sensor.name] = value
                else:
                    reason = f"outside what is possible, {row.low:g} to {row.high:g}"
                    sink.rejected[sensor.name] = Rejection(value, reason)
        if self._throttle:
            try:
                sink.states[self._throttle.name] = self._reasons(self._nvml.ask(_THROTTLE))
            except OSError as error:
                sink.absent[self._throttle.name] = Absence(_cause(error), now_s)

    def forget(self) -> None:
        """The card is left alone: an open library might keep it awake."""
        self._nvml.close()

    def close(self) -> None:
        self._nvml.close()

    def _describe(self) -> None:
        try:
            for query in _QUERIES:
                if self._offers(query):
                    self._queries.append((query, tuple(self._sensor(query, row) for row in query.rows)))
            if self._offers(Query(_THROTTLE, (), ())):
                self._throttle = self._named("throttle", Quantity.STATE, "throttling")
        except NotInstalled as error:
            self._missing = Absence(error.strerror or "nvidia-ml-py is not installed", 0.0)
        except OSError as error:
            hidden = error.errno != errno.EHOSTDOWN and not os.path.exists(CONTROL)
            self._missing = Absence(_HIDDEN if hidden else _cause(error), 0.0)

    def _offers(self, query: Query) -> bool:
        """False for what the card does not have. OSError when NVML itself cannot be used."""
        try:
            answer = self._nvml.ask(query.function, *query.arguments)
            for row in query.rows:
                row.value(answer)
        except NotInstalled:
            raise
        except OSError as error:
            if not self._nvml.is_open:
                raise
            return error.errno != UNSUPPORTED
        return True

    def _sensor(self, query: Query, row: Row) -> Sensor:
        heat = Heat.GPU if row.quantity is Quantity.TEMPERATURE else None
        return self._named(row.suffix, row.quantity, row.label, self._limits(query, row), heat)

    def _named(
        self,
        suffix: str,
        quantity: Quantity,
        label: str,
        limits: SensorLimits = NO_LIMITS,
        heat: Heat | None = None,
    ) -> Sensor:
        name = f"gpu.{self._card.name}.{suffix}"
        return Sensor(
            name, quantity, f"nvidia {label}", limits, "nvidia", heat, path=f"{self._card.device}/nvml/{suffix}"
        )

    def _limits(self, query: Query, row: Row) -> SensorLimits:
        match row.suffix:
            case "temperature":
                threshold = "NVML_TEMPERATURE_THRESHOLD_"
                maximum, critical, emergency = (
                    self._threshold(threshold + kind) for kind in ("GPU_MAX", "SLOWDOWN", "SHUTDOWN")
                )
                return drivers.consistent(SensorLimits(None, maximum, critical, emergency))
            case "mem_temperature":
                return SensorLimits(maximum=self._threshold("NVML_TEMPERATURE_THRESHOLD_MEM_MAX"))
            case "power":
                return SensorLimits(maximum=self._scaled("nvmlDeviceGetPowerManagementLimit", (), 1e-3))
            case "graphics_clock" | "memory_clock":
                return SensorLimits(maximum=self._scaled("nvmlDeviceGetMaxClockInfo", query.arguments, 1e6))
            case "vram_used":
                return SensorLimits(maximum=self._measured(query, _bytes("total")))
        return SensorLimits()

    def _threshold(self, kind: str) -> float | None:
        return drivers.sane_limit_c(self._scaled("nvmlDeviceGetTemperatureThreshold", (kind,), 1.0))

    def _scaled(self, function: str, arguments: tuple[Any, ...], factor: float) -> float | None:
        return self._measured(Query(function, arguments, ()), lambda answer: float(answer) * factor)

    def _measured(self, query: Query, value: Callable[[Any], float]) -> float | None:
        try:
            return value(self._nvml.ask(query.function, *query.arguments)) or None
        except OSError:
            return None

    def _reasons(self, bits: int) -> str:
        """The words of the bits that are set; ``none`` for none. ``idle`` alone is no throttling."""
        prefix = "nvmlClocksThrottleReason"
        known = {word: self._nvml.constant(prefix + name) for name, word in _REASONS.items()}
        return " ".join(word for word, bit in known.items() if bit and bits & bit) or (
            "none" if not bits else "throttled"
        )


def _cause(error: OSError) -> str:
    return "another card sleeps" if error.errno == errno.EHOSTDOWN else errno_name(error)


class PowerLimit:
    """The power limit that NVML enforces, in mW: from the card's least (and a quarter) up to what was found.

    The library is opened for each question and closed again: what stays open might keep the card awake.
    """

    def __init__(self, nvml: Nvml, tunables: Sequence[Tunable] = ()) -> None:
        self._nvml = nvml
        self._tunables = tunables

    def tunables(self) -> Sequence[Tunable]:
        return self._tunables

    def read(self, _tunable: Tunable) -> Value:
        return self.read_mw()

    def write(self, _tunable: Tunable, value: Value) -> None:
        self.write_mw(int(value))

    def read_mw(self) -> int:
        try:
            return int(self._nvml.ask("nvmlDeviceGetPowerManagementLimit"))
        finally:
            self._nvml.close()

    def write_mw(self, limit_mw: int) -> None:
        try:
            self._nvml.ask("nvmlDeviceSetPowerManagementLimit", limit_mw)
        finally:
            self._nvml.close()


def probe_power_limit(card: Card, nvml: Nvml) -> PowerLimit:
    """Without a tunable where there is no NVML, no limit, or nothing between the least and what was found."""
    try:
        present_mw = int(nvml.ask("nvmlDeviceGetPowerManagementLimit"))
        least_mw = int(nvml.ask("nvmlDeviceGetPowerManagementLimitConstraints")[0])
    except OSError:
        return PowerLimit(nvml)
    finally:
        nvml.close()
    minimum_mw = max(least_mw, int(present_mw * _LEAST_PART))
    if not 0 < minimum_mw < present_mw:
        return PowerLimit(nvml)
    limit = Tunable(
        f"gpu.{card.name}.power_limit",
        Role.POWER_LIMIT,
        card.name,
        card.device + POWER_LIMIT,
        Heat.GPU,
        unit="mW",
        minimum=minimum_mw,
        maximum=present_mw,
        meter=f"gpu.{card.name}.power",
    )
    return PowerLimit(nvml, (limit,))
