"""Graphics cards: everything of one card is one source and one set of tunables, so that one rule holds for all of it.

A sleeping card is never touched. ``power/runtime_status`` comes first (runtime_power.py); while it says that the card
sleeps, no hwmon file, no attribute and no NVML function of it is read or written, at the start and at every new look as
well: then only its state is declared, and the rest once it wakes.

Nor is a card kept awake: every read restarts its autosuspend timer. An idle, cool card that may sleep is left alone
for that long after each sample, and its readings are then a few seconds old.
"""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from gamesad.hardware import amdgpu, cards, chips, hwmon, intel_gpu
from gamesad.hardware.base import Actuator, FileActuator, FileBatch, NumberFile, Sink, Source
from gamesad.hardware.cards import Card
from gamesad.hardware.nvidia import NvmlSource, PowerLimit, probe_power_limit
from gamesad.hardware.nvml import Nvml
from gamesad.hardware.parsed import ParsedBatch
from gamesad.hardware.runtime_power import RuntimePower
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Absence, Quantity, Sensor, Tunable, Value

_IDLE = 0.05
"""Up to this part of its time a card counts as idle: being asked is work, too."""
_COOL_C = 55.0
_OLDEST_S = 15.0
_TRUST_S = 60.0
"""How long what a card that may sleep was set to is taken from memory when it is only glanced at."""


class Part(Protocol):
    """Some of a card's sensors."""

    def sensors(self) -> Sequence[Sensor]: ...

    def sample(self, now_s: float, sink: Sink) -> None: ...

    def close(self) -> None: ...


class Numbers:
    """A FileBatch with its sensors."""

    def __init__(self, sysfs: Sysfs, files: Sequence[NumberFile]) -> None:
        self._sensors = tuple(file.sensor for file in files)
        self._batch = FileBatch(sysfs, files)

    def sensors(self) -> Sequence[Sensor]:
        return self._sensors

    def sample(self, now_s: float, sink: Sink) -> None:
        self._batch.sample(now_s, sink)

    def close(self) -> None:
        self._batch.close()


class CardSource:
    """One card, its hwmon chips included. ``incomplete``: it slept when it was probed, so there may be more.

    ``on_leave`` is called when the card is left alone, because it sleeps or so that it can.
    """

    period_s = 1.0

    def __init__(
        self,
        card: Card,
        power: RuntimePower,
        parts: Sequence[Part],
        *,
        incomplete: bool = False,
        on_leave: Sequence[Callable[[], None]] = (),
    ) -> None:
        self.name = f"gpu.{card.name}"
        self.slow = card.driver == "nvidia"  # a library call into a driver takes as long as it takes
        self.incomplete = incomplete
        self._power = power
        self._parts = parts
        self._on_leave = on_leave
        label = f"{card.driver} card {card.ids}"
        path = f"{card.device}/power/runtime_status"
        self._state = Sensor(f"{self.name}.runtime_status", Quantity.STATE, label, driver=card.driver, path=path)
        self._measured = tuple(sensor for part in parts for sensor in part.sensors())
        self._sensors = (self._state, *self._measured) if power.status else self._measured
        self._temperatures = [one.name for one in self._measured if one.quantity is Quantity.TEMPERATURE]
        self._busy = [one.name for one in self._measured if one.name.endswith((".gpu_busy", ".act_freq"))]
        self._last = Sink()
        self._last_s = 0.0
        self._rest_s = 0.0

    def sensors(self) -> Sequence[Sensor]:
        return self._sensors

    def sample(self, now_s: float, sink: Sink) -> None:
        asleep = self._power.asleep(now_s)
        if self.incomplete and not asleep:
            sink.absent[self._state.name] = Absence("waking", now_s)  # and is to be looked at again
            return
        if self._power.status:
            sink.states[self._state.name] = self._power.status
        elif self._state in self._sensors:
            sink.absent[self._state.name] = Absence("ENODEV", now_s)
        if asleep:
            absence = Absence("asleep", self._power.since_s)
            sink.absent.update((sensor.name, absence) for sensor in self._measured)
            self._leave()
            self._rest_s = 0.0
        elif now_s - self._last_s < self._rest_s:
            self._repeat(now_s, sink)
        else:
            self._read(now_s, sink)

    def close(self) -> None:
        for part in self._parts:
            part.close()
        self._power.close()

    def _read(self, now_s: float, sink: Sink) -> None:
        mine = Sink()
        for part in self._parts:
            part.sample(now_s, mine)
        sink.take(mine)
        self._last, self._last_s = mine, now_s
        self._rest_s = self._power.rest_s() if self._is_idle(mine) else 0.0
        if self._rest_s:
            self._leave(keep_counters=True)

    def _repeat(self, now_s: float, sink: Sink) -> None:
        if now_s - self._last_s > _OLDEST_S:
            absence = Absence("left alone to fall asleep", self._last_s + _OLDEST_S)
            sink.absent.update((sensor.name, absence) for sensor in self._measured)
            return
        sink.take(self._last)

    def _is_idle(self, mine: Sink) -> bool:
        busy = [mine.readings[name] for name in self._busy if name in mine.readings]
        hottest_c = max((mine.readings.get(name, 0.0) for name in self._temperatures), default=0.0)
        return bool(busy) and max(busy) <= _IDLE and hottest_c < _COOL_C

    def _leave(self, *, keep_counters: bool = False) -> None:
        for leave in self._on_leave:
            leave()
        if not keep_counters:
            for part in self._parts:
                if isinstance(part, hwmon.Hwmon):
                    part.forget()


class CardActuator:
    """A card's tunables: EHOSTDOWN while it sleeps, and then nothing of it is touched.

    Looking is touching: where a card may sleep, a ``glance`` looks again once a minute only.
    """

    def __init__(self, power: RuntimePower, inner: Actuator, clock: Callable[[], float] = time.monotonic) -> None:
        self._power = power
        self._inner = inner
        self._clock = clock
        self._known: dict[str, tuple[float, Value]] = {}

    def tunables(self) -> Sequence[Tunable]:
        return self._inner.tunables()

    def read(self, tunable: Tunable) -> Value:
        now_s = self._awake()
        value = self._inner.read(tunable)
        self._known[tunable.name] = (now_s, value)
        return value

    def glance(self, tunable: Tunable) -> Value:
        now_s = self._awake()
        at_s, value = self._known.get(tunable.name, (-math.inf, 0))
        return value if now_s - at_s < _TRUST_S and self._power.rest_s() else self.read(tunable)

    def write(self, tunable: Tunable, value: Value) -> None:
        self._awake()
        self._known.pop(tunable.name, None)
        self._inner.write(tunable, value)

    def _awake(self) -> float:
        now_s = self._clock()
        asleep = self._power.asleep(now_s)
        self._power.close()  # an actuator is never closed itself
        if asleep:
            self._known.clear()
            raise OSError(errno.EHOSTDOWN, "the card sleeps")
        return now_s


def probe_sources(sysfs: Sysfs) -> list[Source]:
    sources: list[Source] = []
    for card in cards.find(sysfs):
        power = RuntimePower(sysfs, card.device)
        if power.asleep(0.0):
            sources.append(CardSource(card, power, (), incomplete=True))
            continue
        parts, on_leave = _parts(sysfs, card)
        sources.append(CardSource(card, power, parts, on_leave=on_leave))
    return sources


def probe_actuators(sysfs: Sysfs) -> list[Actuator]:
    """Those of the cards that are awake: ranges cannot be read of one that sleeps."""
    return [
        CardActuator(RuntimePower(sysfs, card.device), inner)
        for card in cards.find(sysfs)
        if not _sleeps(sysfs, card) and (inner := _actuator(sysfs, card)).tunables()
    ]


def power_limit(slot: str) -> PowerLimit:
    """The power limit of a card on this machine, to put it back."""
    return PowerLimit(_nvml(Sysfs(), slot))


def _parts(sysfs: Sysfs, card: Card) -> tuple[list[Part], list[Callable[[], None]]]:
    own = chips.below(sysfs, card.device)
    parts: list[Part] = [hwmon.chip_source(sysfs, chip) for chip in own]
    if card.driver in {"amdgpu", "radeon"}:
        parts += [Numbers(sysfs, amdgpu.numbers(sysfs, card)), ParsedBatch(sysfs, amdgpu.texts(sysfs, card, own))]
    elif card.driver in {"i915", "xe"}:
        parts += [Numbers(sysfs, intel_gpu.numbers(sysfs, card)), intel_gpu.ThrottleReasons(sysfs, card)]
    elif card.driver == "nvidia" and is_here(sysfs):
        source = NvmlSource(card, _nvml(sysfs, card.slot))
        return [*parts, source], [source.forget]
    return parts, []


def _actuator(sysfs: Sysfs, card: Card) -> Actuator:
    if card.driver == "nvidia" and is_here(sysfs):
        return probe_power_limit(card, _nvml(sysfs, card.slot))
    if card.driver in {"amdgpu", "radeon"}:
        return amdgpu.LevelActuator(sysfs, amdgpu.tunables(sysfs, card, chips.below(sysfs, card.device)))
    return FileActuator(sysfs, intel_gpu.tunables(sysfs, card) if card.driver in {"i915", "xe"} else ())


def is_here(sysfs: Sysfs) -> bool:
    """Whether the tree is this machine's: NVML knows no other."""
    return not sysfs.root and not sysfs.simulated


def _nvml(sysfs: Sysfs, slot: str) -> Nvml:
    def may_open() -> bool:
        return not any(_sleeps(sysfs, one) for one in cards.find(sysfs) if one.driver == "nvidia")

    return Nvml(slot, may_open)


def _sleeps(sysfs: Sysfs, card: Card) -> bool:
    power = RuntimePower(sysfs, card.device)
    try:
        return power.asleep(0.0)
    finally:
        power.close()
