"""The thermal predictor: the last readings of every temperature sensor → its next five seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array, Arrays, Unusable
from gamesad.neural.thermal.bounds import Bounds
from gamesad.neural.thermal.crossing import Crossing
from gamesad.neural.thermal.lessons import Lessons
from gamesad.neural.thermal.mixture import MEMBERS, Mixture
from gamesad.neural.thermal.networks import Networks
from gamesad.neural.thermal.ridge import Ridge
from gamesad.neural.thermal.scores import Scores
from gamesad.neural.thermal.window import LONGEST, STEPS, Window

if TYPE_CHECKING:
    from gamesad.neural.grid import Row

HORIZONS = tuple(range(1, STEPS + 1))
_MEDIANS = (5, 15, 29)


class Effort(IntEnum):
    """What the budget allows in this second. Readings, bounds and weights are kept up in each."""

    PERSISTENCE = 0
    MIXTURE = 1
    TRAINING = 2


@dataclass(frozen=True, slots=True)
class Prediction:
    """Of each sensor, in the order of ``Thermal.names``; NaN where nothing can be said."""

    expected: Array
    """(sensors, 5) °C."""
    upper: Array
    """(sensors, 5) °C: nine of ten readings stay under it."""
    upper_of_maximum: Array
    """(sensors,) °C, of the highest of the five."""
    crossing: Array
    """(sensors,) 0..1: the chance of reaching the limit within the five seconds; NaN where there is none."""
    residual: Array
    """(sensors,) the last one-second error, in running deviations of such errors."""


class Thermal:
    """A Model. Deterministic by ``seed``; what a sensor gets depends on its name, not on its place among the others."""

    HORIZONS = HORIZONS

    def __init__(self, names: Sequence[str], *, seed: int) -> None:
        if len(set(names)) != len(names):
            raise ValueError("the name of a temperature sensor is given twice")
        self._names, self._seed, self._tick = tuple(names), seed, 0
        generators = [np.random.default_rng([seed, *name.encode()]) for name in names]
        self._networks = Networks(generators)
        self._window = Window(len(names))
        self._lessons = Lessons(np.array([generator.random() for generator in generators]))
        self._ridge = Ridge(len(names))
        self._mixture = Mixture(len(names))
        self._bounds = Bounds(len(names))
        self._crossing = Crossing(len(names))
        self._scores = Scores(len(names))
        self._members = np.zeros((len(names), STEPS, len(MEMBERS)))
        self._medians = np.zeros((len(names), len(_MEDIANS)))
        self._heat = np.zeros((len(names), 2))
        self._parts = {
            "window": self._window,
            "lessons": self._lessons,
            "ridge": self._ridge,
            "networks": self._networks,
            "mixture": self._mixture,
            "bounds": self._bounds,
            "crossing": self._crossing,
            "scores": self._scores,
        }

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    def step(self, row: Row, effort: Effort = Effort.TRAINING) -> Prediction:
        """Learns from what became known, then predicts; to be called for every second of the grid, in order."""
        with np.errstate(all="ignore"):  # NaN is what is missing
            return self._step(row, effort)

    def _step(self, row: Row, effort: Effort) -> Prediction:
        self._tick = tick = self._tick + 1
        window, mixture, bounds = self._window, self._mixture, self._bounds
        self._heat[:, 0], self._heat[:, 1] = row.power, row.load
        window.take(tick, row.temperatures, self._heat)
        base = np.where(window.present, window.readings[:, -1], np.nan)
        mixture.judge(tick, base)
        bounds.judge(tick, window, mixture.errors[..., 0] / mixture.scale)
        self._crossing.judge(tick, window)
        residual = self._scores.judge(mixture.errors, bounds.outcome)
        self._lessons.learn(tick, window)
        members = self._forecasts(tick, effort)
        forecast = mixture.forecast(members, window.quantum)
        mixture.put(tick, members, forecast, base, window.unit)
        upper, upper_of_maximum = bounds.upper(tick, forecast, base, window)
        self._crossing.put(tick, forecast, self._medians, base, window)
        crossing = self._crossing.chance(tick, row.limits, window)
        return Prediction(base[:, None] + forecast, upper, upper_of_maximum, crossing, residual)

    def _forecasts(self, tick: int, effort: Effort) -> Array:
        """(sensors, STEPS, members) above the newest reading, °C."""
        members, window, medians = self._members, self._window, self._medians
        for place, length in enumerate(_MEDIANS):
            last = window.readings[:, LONGEST - length :].copy()
            last.sort(axis=1)
            medians[:, place] = last[:, length // 2]
        medians -= window.readings[:, -1:]
        if effort == Effort.PERSISTENCE:
            members.fill(0.0)
            return members
        members[:, :, 1:4] = medians[:, None]
        turn, odd = divmod(tick, 2)  # the ridges learn in even seconds, the networks in odd ones
        training = effort == Effort.TRAINING
        if training and not odd:
            self._ridge.learn(turn % STEPS, self._lessons)
        if training and odd:
            self._lessons.draw(tick, self._networks.lessons)
            learnt = self._networks.forecast_and_learn(window.inputs, tick, self._lessons.fresh)
        else:
            learnt = self._networks.forecast(window.inputs)
        scale = window.scale[:, None]
        np.multiply(self._ridge.forecast(window.inputs), scale, out=members[:, :, 4])
        np.multiply(learnt, scale, out=members[:, :, 5])
        np.copyto(members, 0.0, where=~window.usable[:, None, None])
        return members

    def crossing(self, limits: Array) -> Array:
        """As the last step's ``Prediction.crossing``, of any limits: (sensors,) °C."""
        with np.errstate(all="ignore"):
            return self._crossing.chance(self._tick, limits, self._window)

    def scores(self) -> dict[str, dict[str, Any]]:
        """What became of the forecasts of each sensor, by name; ``Scores.table`` has the keys."""
        return self._scores.table(self._names, self._mixture.weights)

    def rename(self, names: Sequence[str]) -> None:
        """From now on these are the sensors: what is known of a name stays, a new one begins anew."""
        if tuple(names) == self._names:
            return
        fresh = Thermal(names, seed=self._seed)
        theirs = [place for place, name in enumerate(self._names) if name in fresh._names]
        ours = [fresh._names.index(self._names[place]) for place in theirs]
        for name, part in fresh._parts.items():
            part.adopt(self._parts[name], ours, theirs)
        fresh._tick = self._tick
        self.__dict__.update(fresh.__dict__)

    def state(self) -> dict[str, NDArray[Any]]:
        return self._state(copied=True)

    def copy(self) -> dict[str, NDArray[Any]]:
        """With the lessons themselves, which are two thirds of all: the newest minute's may then take the oldest's."""
        return self._state(copied=False)

    def _state(self, *, copied: bool) -> dict[str, NDArray[Any]]:
        state: dict[str, NDArray[Any]] = {"names": np.array(self._names, np.str_), "tick": np.array(self._tick)}
        for name, part in self._parts.items():
            state.update(part.state(name, copied=copied))
        return state

    def load(self, state: Arrays) -> None:
        """Takes up what a state, saved with other sensors too, knows of ours by name. Unusable: nothing has changed."""
        names, tick = state.get("names"), state.get("tick")
        if names is None or names.dtype.kind != "U" or names.ndim != 1 or len(set(names.tolist())) != len(names):
            raise Unusable("the saved forecast has no names of sensors")
        if tick is None or tick.dtype.kind != "i" or tick.shape != () or int(tick) < 0:
            raise Unusable("the saved forecast has no time")
        for name, part in self._parts.items():
            part.check(state, name, len(names))
        saved = Thermal(names.tolist(), seed=self._seed)
        for name, part in saved._parts.items():
            part.load(state, name)
        saved._tick = int(tick)
        saved.rename(self._names)
        self.__dict__.update(saved.__dict__)

    def sound(self) -> bool:
        return all(part.sound() for part in self._parts.values())
