"""A sensor that sticks: a temperature that stands still while what it measures must have risen is not believed.

A dead embedded controller, a wedged i2c chip or a hung firmware goes on answering its last value: possible, and fresh.
Only other evidence tells. Since the sensor last moved, the package's power has doubled; or, where no power is known,
the processor went from idle to busy; or other sensors of the same chip have risen past it.

Only a rise counts. It is what makes a stuck sensor dangerous, and no regulation explains it away: one that holds a
temperature takes power back, it does not double it. Not judged is what proves nothing by standing still: a sensor that
has never moved (it may be a constant), acpitz (often one, or slow, or of another place), a value at its critical
temperature (firmware holds it there, and a sensor that sticks there holds the power down), or under 20 °C (where the
scales of old parts end).

A mistake would be short: the failsafe settings move a sensor that lives, and one that moves is believed again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gamesad.hardware.base import Sink
from gamesad.types import Heat, Quantity, Rejection, Sensor

UNCHANGED_S = 60.0
"""How long a value must have stood still, at least."""
_SPAN_S, _SPAN_READINGS = 10.0, 3
"""How long power must have been low, and high, and in how many readings: a die follows it within two seconds."""
_LOOK_S = 2.0
_SETTLED_S = 2.0
"""Powers and loads are means of up to a second before they were read, so not from the moment of the last move on."""
_GAP_S = 30.0
"""A sensor that was not read for longer may have moved and come back."""

_POWER_RATIO, _POWER_W = 2.0, 6.0
_BUSIER = 0.6
_WARMER_C, _PAST_C = 5.0, 2.0
_HELD_WITHIN_C, _COLD_C = 2.0, 20.0
_NOT_OF_A_DIE = frozenset(("acpitz",))

Proof = Callable[[float, float, float], bool]
"""From the lowest mean since the sensor stood still, the level now, and where it stands in °C."""


@dataclass(slots=True, eq=False)
class _Span:
    """A stretch of readings of each signal: ``totals`` over ``passed_s`` (value x seconds), and the ``least`` value."""

    totals: list[float]
    least: list[float]
    passed_s: float = 0.0
    readings: int = 0


@dataclass(slots=True, eq=False)
class _Witness:
    """One kind of evidence. Each of ``signals`` must have risen enough; a signal is the highest of its sensors.

    ``bursts``: it may be high between two readings of the temperature and leave no trace there, so every reading must
    be high, and not their mean.
    """

    signals: tuple[tuple[str, ...], ...]
    risen: Proof
    told: Callable[[float, float], str]
    bursts: bool = True
    seen_s: float = -math.inf
    since_s: float = -math.inf
    lowest: list[float] = field(default_factory=list)
    span: _Span = field(default_factory=lambda: _Span([], []))

    def look(self, sink: Sink, now_s: float, ages_s: Mapping[str, float], since_s: float, value_c: float) -> str:
        """What proves that a sensor which has stood at ``value_c`` since ``since_s`` is stuck; empty when nothing."""
        at_s = now_s - ages_s.get(self.signals[0][0], 0.0)
        began_s, self.seen_s = self.seen_s, max(at_s, self.seen_s)
        if self.since_s != since_s:
            self.since_s, self.lowest = since_s, [math.inf] * len(self.signals)
            self._begin()
        if at_s <= began_s or began_s < since_s + _SETTLED_S:
            return ""  # nothing new, or in part of a time when the sensor still moved
        get, span = sink.readings.get, self.span
        values = [max([get(name, -math.inf) for name in names]) for names in self.signals]
        if -math.inf in values:
            return ""
        passed_s = at_s - began_s
        span.totals = [total + value * passed_s for total, value in zip(span.totals, values, strict=True)]
        span.least = list(map(min, span.least, values))
        span.passed_s += passed_s
        span.readings += 1
        return self._compare(value_c) if span.passed_s >= _SPAN_S and span.readings >= _SPAN_READINGS else ""

    def _begin(self) -> None:
        self.span = _Span([0.0] * len(self.signals), [math.inf] * len(self.signals))

    def _compare(self, value_c: float) -> str:
        span = self.span
        means = [total / span.passed_s for total in span.totals]
        levels = span.least if self.bursts else means
        risen = all(self.risen(low, level, value_c) for low, level in zip(self.lowest, levels, strict=True))
        text = self.told(self.lowest[0], means[0]) if risen else ""
        self.lowest = list(map(min, self.lowest, means))
        self._begin()
        return text


@dataclass(slots=True, eq=False)
class _Watched:
    """One sensor: where it stands and since when, whether it ever moved, and why it is not believed, if so."""

    sensor: Sensor
    witnesses: tuple[_Witness, ...]
    value_c: float = math.nan
    since_s: float = 0.0
    read_s: float = -math.inf
    look_s: float = -math.inf
    moved: bool = False
    proof: str = ""
    stuck: Rejection | None = None

    def alike(self, other: _Watched) -> bool:
        return self.sensor == other.sensor and self.signals == other.signals

    def look(self, sink: Sink, now_s: float, ages_s: Mapping[str, float]) -> None:
        """Asks the witnesses, now and then, of a value that proves something by standing still."""
        critical_c = self.sensor.limits.critical
        held_c = math.inf if critical_c is None else critical_c - _HELD_WITHIN_C
        if now_s < self.look_s or not _COLD_C <= self.value_c < held_c:
            return
        self.look_s = now_s + _LOOK_S
        for witness in self.witnesses:
            self.proof = witness.look(sink, now_s, ages_s, self.since_s, self.value_c) or self.proof
        unchanged_s = self.read_s - self.since_s
        if self.proof and unchanged_s >= UNCHANGED_S:
            self.stuck = Rejection(self.value_c, f"stuck: unchanged for {unchanged_s:.0f} s while {self.proof}")

    @property
    def signals(self) -> list[tuple[tuple[str, ...], ...]]:
        return [witness.signals for witness in self.witnesses]


class Plausibility:
    """Watches the critical temperatures of processors. One thread calls it."""

    def __init__(self) -> None:
        self._watched: list[_Watched] = []

    def watch(self, sensors: Mapping[str, Sensor], *, anew: bool = False) -> None:
        """These are the sensors now. What is known of those that stay is kept; ``anew``: but not since when they stand
        still, as after a suspend."""
        known = {watched.sensor.name: watched for watched in self._watched}
        critical = [sensor for sensor in sensors.values() if _judged(sensor)]
        self._watched = []
        for sensor in critical:
            watched = _Watched(sensor, _witnesses(sensor, len(critical), sensors))
            before = known.get(sensor.name)
            if before and not anew and before.alike(watched):
                watched = before
            elif before:
                watched.value_c, watched.moved, watched.stuck = before.value_c, before.moved, before.stuck
            self._watched.append(watched)

    def judge(self, sink: Sink, now_s: float, ages_s: Mapping[str, float]) -> None:
        """Moves the readings of stuck sensors to ``sink.rejected``. One whose value moves is believed again at once."""
        for watched in self._watched:
            name = watched.sensor.name
            value_c = sink.readings.get(name)
            if value_c is None:
                continue
            at_s = now_s - ages_s[name] if name in ages_s else now_s
            if value_c != watched.value_c:
                watched.moved = watched.moved or not math.isnan(watched.value_c)
                watched.value_c, watched.since_s, watched.proof, watched.stuck = value_c, at_s, "", None
            elif not at_s <= watched.read_s + _GAP_S:
                watched.since_s, watched.proof = at_s, ""
            watched.read_s = at_s
            if watched.moved and at_s > watched.since_s and not watched.stuck:
                watched.look(sink, now_s, ages_s)
            if watched.stuck:
                sink.rejected[name] = watched.stuck
                del sink.readings[name]


def _judged(sensor: Sensor) -> bool:
    return (
        sensor.critical
        and sensor.quantity is Quantity.TEMPERATURE
        and sensor.heat is Heat.CPU
        and sensor.driver not in _NOT_OF_A_DIE
    )


def _witnesses(sensor: Sensor, parts: int, sensors: Mapping[str, Sensor]) -> tuple[_Witness, ...]:
    """What there is on this machine to hold a sensor against. ``parts``: so many processors are told apart."""
    witnesses = []
    powers = [
        (each.name,)
        for each in sensors.values()
        if each.quantity is Quantity.POWER and re.fullmatch(r"package-\S+", each.label)
    ]
    if len(powers) == parts:  # which is whose nobody says, so each must have risen
        witnesses.append(_Witness(tuple(powers), _more_power, "package power went from {:.0f} to {:.0f} W".format))
    elif "cpu.utilization" in sensors:
        witnesses.append(_Witness((("cpu.utilization",),), _busier(parts), _busy_text))
    chip = sensor.name.rpartition(".")[0]
    beside = tuple(
        each.name
        for each in sensors.values()
        if each.quantity is Quantity.TEMPERATURE and not each.critical and each.name.rpartition(".")[0] == chip
    )
    if beside and chip.startswith("hwmon."):
        text = "other sensors of its chip went from {:.0f} to {:.0f} °C".format
        witnesses.append(_Witness((beside,), _warmer_than_it, text, bursts=False))
    return tuple(witnesses)


def _more_power(low_w: float, level_w: float, _value_c: float) -> bool:
    """Nothing that runs draws 0 W: a counter that stands still is no low."""
    return low_w > 0.0 and level_w >= max(_POWER_RATIO * low_w, low_w + _POWER_W)


def _busier(parts: int) -> Proof:
    """The load is known of all processors together: at first one may have had all of it, later all but one."""

    def risen(low: float, level: float, _value_c: float) -> bool:
        return 1.0 - parts * (1.0 - level) - parts * low >= _BUSIER

    return risen


def _busy_text(low: float, mean: float) -> str:
    return f"the processor went from {low * 100:.0f} to {mean * 100:.0f} % busy"


def _warmer_than_it(low_c: float, level_c: float, value_c: float) -> bool:
    """A package's temperature is its hottest sensor's; what stays under it may move as it likes."""
    return level_c >= max(low_c + _WARMER_C, value_c + _PAST_C)
