"""All sources read once per tick into one Snapshot; what blocks is read elsewhere and delivered with its age."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from gamesad.hardware import SOURCES
from gamesad.hardware.base import Probe, Sink, Source
from gamesad.hardware.sysfs import Sysfs
from gamesad.telemetry.offtick import FAULTS, Reader, Result
from gamesad.telemetry.plausibility import Plausibility
from gamesad.types import Absence, Sensor, Snapshot

BUDGET_S = 0.02
TOO_LONG_S = 0.2
_STRIKE_S = 60.0
"""A source that takes longer than BUDGET_S twice within _STRIKE_S, or TOO_LONG_S once, is read off the tick."""

HANG_S = 1.0
_QUICK_READS = 20
"""It may have been the machine, not the device, that was slow: after so many quick reads a source comes back to the
tick, each time after four times as many, and never if it once took longer than HANG_S."""

START_S = 0.3
"""How long a start or a stop waits, at most, for sources that do not answer."""
_LEAST_WAIT_S = 0.005

OLDEST_S = 30.0
CRITICAL_OLDEST_S = 3.0
_CRITICAL_PERIOD_S = 0.5
_FRESH_S = 0.5


@dataclass(frozen=True, slots=True)
class Change:
    """Sensors that a new look at the machine found and missed; one whose declaration changed is in both."""

    added: tuple[Sensor, ...] = ()
    removed: tuple[Sensor, ...] = ()


@dataclass(slots=True, eq=False)
class _Slot:
    """One source: read on the tick, or by ``reader``. ``first`` is the trial read, used by the first tick.

    ``hidden`` sensors are read with the others and not published.
    """

    source: Source
    declared: tuple[Sensor, ...]
    sensors: tuple[Sensor, ...]
    hidden: bool
    critical: bool
    reader: Reader | None = None
    first: Result | None = None
    struck_s: float | None = None
    returns: int = 0
    hung: bool = False

    @property
    def may_return(self) -> bool:
        needed = _QUICK_READS * 4**self.returns
        return self.reader is not None and self.reader.quick_reads >= needed and not (self.source.slow or self.hung)

    @property
    def oldest_s(self) -> float:
        return CRITICAL_OLDEST_S if self.critical else max(OLDEST_S, 3 * self.source.period_s)

    def read_off_tick(self, clock: Callable[[], float], result: Result | None = None) -> Reader:
        return Reader(self.source, _CRITICAL_PERIOD_S if self.critical else self.source.period_s, clock, result)


class Collector:
    """The sensors of one machine. ``ignore`` and ``critical`` are sensor names, shell patterns allowed.

    Every new source is read first by a thread of its own with a bounded wait, so that a device that hangs costs a
    start ``START_S`` and a tick nothing. Not so for a simulated machine, where time passes as it is read.
    Where two sources declare one name, the first in probe order keeps it.
    """

    def __init__(
        self,
        sysfs: Sysfs,
        probes: Sequence[Probe] = SOURCES,
        *,
        ignore: Collection[str] = (),
        critical: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sysfs = sysfs
        self._probes = tuple(probes)
        self._clock = clock
        self.choose(ignore, critical)
        self._slots: list[_Slot] = []
        self._needed: list[_Slot] = []  # on the tick, with a critical sensor
        self._others: list[_Slot] = []  # on the tick, without
        self._elsewhere: list[_Slot] = []  # off the tick
        self._leaving: list[Reader] = []
        self._gone: Mapping[str, Absence] = {}
        self._absent: Mapping[str, Absence] = {}
        self._held: Sink | None = None
        self._held_s = 0.0
        self._plausibility = Plausibility()
        self._number = 0
        self.sensors: Mapping[str, Sensor] = {}
        self.rescan()

    def choose(self, ignore: Collection[str], critical: Collection[str]) -> None:
        """Other patterns of what is not read and what is critical, in force with the next ``rescan``."""
        self._ignore = tuple(ignore)
        self._critical = tuple(critical)

    def rescan(self, *, anew: bool = False) -> Change:
        """Look at the machine again. Sources that declare the same as before stay open, with their counters.

        ``anew``: none stays, as after a suspend, when a difference between two counts says nothing.
        """
        before = self.sensors
        known = {} if anew else {(slot.source.name, slot.declared): slot for slot in self._slots}
        slots: list[_Slot] = []
        new: list[_Slot] = []
        sensors: dict[str, Sensor] = {}
        for source in [source for probe in self._probes for source in probe(self._sysfs)]:
            slot = self._slot(source, sensors)
            kept = known.get((source.name, slot.declared))
            if getattr(source, "incomplete", False):  # a card that sleeps: an earlier look knows more of it
                kept = next((before for (name, _declared), before in known.items() if name == source.name), None)
                slot = kept or slot
            if slot.sensors and kept and kept.sensors == slot.sensors:
                del known[source.name, kept.declared]
                source.close()
                slot = kept
            elif slot.sensors:
                new.append(slot)
            else:
                source.close()
                continue
            slots.append(slot)
            sensors.update((sensor.name, sensor) for sensor in slot.sensors)
        for slot in self._slots if anew else known.values():
            self._leave(slot)
        self._gone = _missed(before, sensors, self._clock())
        sensors.update((name, before[name]) for name in self._gone)
        self._slots, self.sensors, self._held = slots, sensors, None
        if not self._sysfs.simulated:
            self._try(new)
        self._sort()
        self._plausibility.watch(sensors, anew=anew)
        return Change(
            tuple(sensor for name, sensor in sensors.items() if before.get(name) != sensor),
            tuple(sensor for name, sensor in before.items() if sensors.get(name) != sensor),
        )

    def sample(self, now_s: float, *, everything: bool = True) -> Snapshot:
        """One Snapshot. Without ``everything`` only sources with a critical sensor are read; the rest keep their
        values, with an age."""
        self._number += 1
        held = self._held
        if everything or held is None:
            held = self._held = Sink()
            self._read(self._others, now_s, held)
            self._held_s = now_s
        sink = Sink()
        self._read(self._needed, now_s, sink)
        ages_s: dict[str, float] = {}
        if age_s := now_s - self._held_s:
            ages_s = dict.fromkeys((*held.readings, *held.states), age_s)
        sink.readings.update(held.readings)
        sink.states.update(held.states)
        sink.rejected.update(held.rejected)
        sink.absent.update(held.absent)
        sink.absent.update(self._gone)
        for slot in self._elsewhere:
            self._deliver(slot, sink, ages_s)
        if any(slot.reader is None for slot in self._elsewhere):
            self._held = None
            self._sort()
        if len(sink.readings) + len(sink.states) + len(sink.rejected) + len(sink.absent) != len(self.sensors):
            self._account(now_s, sink)
        self._keep_first(sink.absent)
        self._plausibility.judge(sink, now_s, ages_s)
        return Snapshot(self._number, now_s, sink.readings, sink.states, sink.rejected, sink.absent, ages_s)

    def close(self) -> None:
        """Close every source. A thread that hangs in the kernel is left behind after a moment."""
        for slot in self._slots:
            self._leave(slot)
        self._slots, self.sensors, self._held = [], {}, None
        self._sort()
        deadline_s = time.monotonic() + START_S
        for reader in self._leaving:
            reader.join(max(_LEAST_WAIT_S, deadline_s - time.monotonic()))
        self._leaving = []

    def _slot(self, source: Source, taken: Mapping[str, Sensor]) -> _Slot:
        declared = tuple(source.sensors())
        sensors = tuple(
            replace(sensor, critical=True) if _matches(sensor.name, self._critical) else sensor
            for sensor in declared
            if sensor.name not in taken and not _matches(sensor.name, self._ignore)
        )
        critical = any(sensor.critical for sensor in sensors)
        return _Slot(source, declared, sensors, hidden=len(sensors) < len(declared), critical=critical)

    def _try(self, slots: Sequence[_Slot]) -> None:
        """The first read of new sources. What does not answer in time stays with its thread."""
        deadline_s = time.monotonic() + START_S
        for slot in slots:
            if slot.source.slow:
                slot.reader = slot.read_off_tick(self._clock)
        for slot in slots:
            wait_s = max(_LEAST_WAIT_S, deadline_s - time.monotonic())
            reader = slot.reader or slot.read_off_tick(self._clock)
            result = reader.wait(wait_s)
            if slot.reader or result is None or result.took_s > TOO_LONG_S:
                slot.reader = reader
            else:
                reader.retire()
                reader.join(wait_s)
                slot.first = result

    def _sort(self) -> None:
        self._elsewhere = [slot for slot in self._slots if slot.reader]
        self._needed = [slot for slot in self._slots if slot.critical and not slot.reader]
        self._others = [slot for slot in self._slots if not slot.critical and not slot.reader]

    def _leave(self, slot: _Slot) -> None:
        if slot.reader:
            slot.reader.stop()
            self._leaving = [*(reader for reader in self._leaving if reader.alive), slot.reader]
        else:
            slot.source.close()

    def _read(self, slots: Sequence[_Slot], now_s: float, sink: Sink) -> None:
        slow: list[tuple[_Slot, float]] = []
        then_s = time.perf_counter()
        for slot in slots:
            if slot.hidden or slot.first:
                self._read_apart(slot, now_s, sink)
            else:
                try:
                    slot.source.sample(now_s, sink)
                except FAULTS:
                    _lose(slot, now_s, sink)
            after_s = time.perf_counter()
            if after_s - then_s > BUDGET_S:
                slow.append((slot, after_s - then_s))
            then_s = after_s
        for slot, took_s in slow:
            self._strike(slot, took_s, now_s, sink)

    def _read_apart(self, slot: _Slot, now_s: float, sink: Sink) -> None:
        first, slot.first = slot.first, None
        if first and self._clock() - first.at_s < _FRESH_S:
            _merge(slot, first.sink, sink)
            return
        mine = Sink()
        try:
            slot.source.sample(now_s, mine)
        except FAULTS:
            mine = Sink()
        _merge(slot, mine, sink)

    def _strike(self, slot: _Slot, took_s: float, now_s: float, sink: Sink) -> None:
        again = slot.struck_s is not None and now_s - slot.struck_s < _STRIKE_S
        slot.struck_s = now_s
        slot.hung = slot.hung or took_s > HANG_S
        if (again or took_s > TOO_LONG_S) and not self._sysfs.simulated:
            mine = Sink()
            _merge(slot, sink, mine)
            for sensor in slot.sensors:
                for mapping in (sink.readings, sink.states, sink.rejected, sink.absent):
                    mapping.pop(sensor.name, None)  # delivered by the reader from now on, these values first
            slot.reader = slot.read_off_tick(self._clock, Result(mine, self._clock(), took_s))
            self._sort()

    def _deliver(self, slot: _Slot, sink: Sink, ages_s: dict[str, float]) -> None:
        reader = slot.reader
        if reader is None:
            return
        result, since_s = reader.result, reader.started_s
        if result and (age_s := max(0.0, self._clock() - result.at_s)) <= slot.oldest_s:
            _merge(slot, result.sink, sink)
            ages_s.update((sensor.name, age_s) for sensor in slot.sensors if _told(sensor.name, result.sink))
        else:
            absence = Absence("stale", result.at_s + slot.oldest_s) if result else Absence("unread", since_s)
            sink.absent.update((sensor.name, absence) for sensor in slot.sensors)
        if reader.retired and not reader.alive:
            slot.reader, slot.struck_s, slot.returns = None, None, slot.returns + 1
        elif slot.may_return:
            reader.retire()

    def _keep_first(self, absent: dict[str, Absence]) -> None:
        """An absence is as old as its cause; few sources remember since when."""
        for name, before in self._absent.items():
            if name in absent and absent[name].cause == before.cause:
                absent[name] = before
        self._absent = absent

    def _account(self, now_s: float, sink: Sink) -> None:
        """Put right what a source left out, said twice or never declared: every sensor in exactly one mapping."""
        for name in {*sink.readings, *sink.states, *sink.rejected, *sink.absent} - self.sensors.keys():
            for mapping in (sink.readings, sink.states, sink.rejected, sink.absent):
                mapping.pop(name, None)
        for name in self.sensors:
            found = [mapping for mapping in (sink.rejected, sink.absent, sink.states, sink.readings) if name in mapping]
            if not found:
                sink.absent[name] = Absence("unread", now_s)
            for mapping in found[1:]:
                mapping.pop(name)


def _missed(before: Mapping[str, Sensor], now: Mapping[str, Sensor], now_s: float) -> dict[str, Absence]:
    """The critical sensors that went and left none: they stay declared, so that they count as lost and not as never
    there. A driver that is unloaded takes the machine's safety with it.
    """
    if any(sensor.critical for sensor in now.values()):
        return {}
    return {name: Absence("ENODEV", now_s) for name, sensor in before.items() if sensor.critical and name not in now}


def _merge(slot: _Slot, theirs: Sink, sink: Sink) -> None:
    for name in (sensor.name for sensor in slot.sensors):
        if name in theirs.readings:
            sink.readings[name] = theirs.readings[name]
        elif name in theirs.states:
            sink.states[name] = theirs.states[name]
        elif name in theirs.rejected:
            sink.rejected[name] = theirs.rejected[name]
        else:
            sink.absent[name] = theirs.absent.get(name, Absence("unread", 0.0))


def _lose(slot: _Slot, now_s: float, sink: Sink) -> None:
    for sensor in slot.sensors:
        for mapping in (sink.readings, sink.states, sink.rejected):
            mapping.pop(sensor.name, None)
        sink.absent[sensor.name] = Absence("unread", now_s)


def _told(name: str, sink: Sink) -> bool:
    return name in sink.readings or name in sink.states


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
