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
from gamesad.neural.thermal.lessons import NEWEST, Lessons
from gamesad.neural.thermal.mixture import Mixture
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
        self._last = np.empty((len(names), len(_MEDIANS), LONGEST - 1))
        self._last[..., : LONGEST // 2], self._last[..., LONGEST // 2 :] = -np.inf, np.inf
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
        window.take(tick, row.temperatures, row.power, row.load)
        mixture.judge(tick, window)
        bounds.judge(tick, window, mixture)
        if tick % 4 == 1:
            bounds.settle()
        self._crossing.judge(tick, window)
        residual = self._scores.judge(mixture)
        self._lessons.learn(tick, window)
        medians = self._medians()
        self._forecasts(tick, medians, effort)
        forecast = mixture.forecast(tick, window.quantum)
        base = window.newest
        upper, upper_of_maximum = bounds.upper(tick, forecast, base, window)
        crossing = self._crossing.put(tick, forecast, medians, row.limits, window)
        return Prediction((base + forecast).T, upper.T, upper_of_maximum, crossing, residual)

    def _medians(self) -> Array:
        """(medians, sensors) above the newest reading, °C. All in one sort: what the shorter ones lack are infinities,
        as many of each sign."""
        last, readings = self._last, self._window.readings
        for place, length in enumerate(_MEDIANS):
            first = (LONGEST - 1 - length) // 2
            last[:, place, first : first + length] = readings[:, LONGEST - length :]
        medians: Array = np.sort(last, axis=2)[:, :, (LONGEST - 1) // 2].T - readings[:, -1]
        return medians

    def _forecasts(self, tick: int, medians: Array, effort: Effort) -> None:
        """Those of all members but persistence, above the newest reading, °C."""
        members, window = self._mixture.members, self._window
        if effort == Effort.PERSISTENCE:
            members.fill(0.0)
            return
        training = effort == Effort.TRAINING
        if training and tick % NEWEST == 0:
            self._ridge.learn(self._lessons)
        inputs = window.inputs.T
        if training and tick % 2:
            self._lessons.draw(tick, self._networks.lessons)
            learnt = self._networks.forecast_and_learn(inputs, tick, self._lessons.fresh)
        else:
            learnt = self._networks.forecast(inputs)
        members[1:4] = medians[:, None]
        np.multiply(self._ridge.forecast(inputs).T, window.scale, out=members[4])
        np.multiply(learnt.T, window.scale, out=members[5])
        members *= window.usable

    def crossing(self, limits: Array) -> Array:
        """As the last step's ``Prediction.crossing``, of any limits: (sensors,) °C."""
        with np.errstate(all="ignore"):
            return self._crossing.chance(limits, self._window)

    def scores(self) -> dict[str, dict[str, Any]]:
        """What became of the forecasts of each sensor, by name; ``Scores.table`` has the keys."""
        return self._scores.table(self._names, self._mixture.weights, self._bounds.kept)

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
