"""An autoencoder 8-4-2-4-8 over the state of the whole machine: what does not go together as it usually does.

Inputs are normalised by a winsorised running mean and deviation; one that is unknown is its mean, and not judged. The
error is left to a chart, so its threshold is a running quantile of its own past.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.anomaly.view import Moment
from gamesad.neural.model import Array, Arrays, Unusable
from gamesad.neural.network import Adam, Network
from gamesad.types import Quantity

STATE = (
    ("hottest temperature", Quantity.TEMPERATURE),
    ("CPU load", Quantity.UTILIZATION),
    ("GPU load", Quantity.UTILIZATION),
    ("power", Quantity.POWER),
    ("fan", Quantity.FAN),
    ("frequency", Quantity.FREQUENCY),
    ("memory", Quantity.UTILIZATION),
    ("waiting for CPU", Quantity.PRESSURE),
)
"""The eight inputs, as sentences call them. Temperature and fan are the highest, power is the sum, of all parts."""

INPUTS = len(STATE)
_SIZES = (INPUTS, 4, 2, 4, INPUTS)
_KEPT = 512
_BATCH = 16
_PACE = 0.001
_CLIP = 6.0


def machine_state(moment: Moment) -> Array:
    """(8,) of the machine, NaN = unknown."""
    power = moment.power[:-1]
    known = power[~np.isnan(power)]
    return np.array(
        [
            _highest(moment.hottest[:-1]),
            moment.load[0],
            moment.load[-2] if len(moment.load) > 2 else np.nan,
            known.sum() if known.size else np.nan,
            _highest(moment.fan),
            moment.frequency[0],
            moment.memory,
            moment.pressure,
        ]
    )


def _highest(values: Array) -> float:
    return float(np.fmax.reduce(values)) if values.size else float("nan")


class Habit:
    """Weights, normalisation and the last 512 states. Deterministic by ``seed``."""

    def __init__(self, *, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._network = Network(_SIZES, batch=_BATCH, rng=self._rng)
        self._adam = Adam(self._network.parameters.size)
        self._mean, self._deviation = np.zeros(INPUTS), np.ones(INPUTS)
        self._count = np.zeros(INPUTS)
        self._past = np.zeros((_KEPT, INPUTS))
        self._steps = 0
        self.expected = np.full(INPUTS, np.nan)
        """What each input would be if it went with the others, in its own unit."""
        self.strangeness = np.zeros(INPUTS)
        """Squared error of each input, in deviations."""

    def step(self, values: Array, *, learn: bool) -> float:
        """(8,) → the logarithm of the mean squared error; NaN where less than half is known or it is young."""
        here = np.isfinite(values)
        values = np.where(here, values, self._mean)
        scaled = np.where(here, np.clip((values - self._mean) / self._deviation, -_CLIP, _CLIP), 0.0)
        back = self._network.forward(scaled[None])[0]
        self.expected = self._mean + back * self._deviation
        self.strangeness = np.where(here, (back - scaled) ** 2, 0.0)
        known = int(here.sum())
        error = float(self.strangeness.sum()) / max(known, 1)
        if learn and known:
            self._learn(values, here, scaled)
        return float(np.log(error + 1e-3)) if known >= INPUTS // 2 and self._steps > _KEPT else float("nan")

    def _learn(self, values: Array, here: NDArray[np.bool_], scaled: Array) -> None:
        """One step of Adam on 16 of the last 512; every mean of a new input moves at once."""
        self._count += here
        pace = np.where(here, np.maximum(_PACE, 1.0 / (self._count + 1.0)), 0.0)
        away = values - self._mean
        widest = np.where(self._count < 60, np.inf, 3.0 * self._deviation)
        away = np.clip(away, -widest, widest)
        self._mean += pace * away
        self._deviation += pace * (np.maximum(1.25 * np.abs(away), 1e-3) - self._deviation)
        self._past[self._steps % _KEPT] = scaled
        self._steps += 1
        filled = min(self._steps, _KEPT)
        chosen = self._rng.integers(0, filled, _BATCH)
        batch = self._past[chosen]
        error = self._network.forward(batch) - batch
        self._adam.step(self._network.parameters, self._network.backward(np.tanh(error) * (2.0 / error.size)))

    def state(self) -> dict[str, NDArray[np.generic]]:
        bits = self._rng.bit_generator.state["state"]
        dice = [int(bits[name]) >> shift & (1 << 64) - 1 for name in ("state", "inc") for shift in (0, 64)]
        return {
            "parameters": self._network.parameters.copy(),
            **{f"adam.{name}": value for name, value in self._adam.state().items()},
            "normal": np.stack([self._mean, self._deviation, self._count]),
            "past": self._past.copy(),
            "steps": np.array(self._steps),
            "dice": np.array(dice, dtype=np.uint64),
        }

    def load(self, state: Arrays) -> None:
        """Takes up a saved state. Unusable: of another shape, or not finite."""
        try:
            parameters, normal, past = (np.array(state[name], float) for name in ("parameters", "normal", "past"))
            steps, dice = int(state["steps"]), [int(word) for word in state["dice"]]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Unusable(f"an autoencoder without usable {error}") from None
        shapes = (parameters.shape, normal.shape, past.shape, len(dice), steps >= 0)
        if shapes != (self._network.parameters.shape, (3, INPUTS), (_KEPT, INPUTS), 4, True):
            raise Unusable("an autoencoder of another shape")
        if not (np.isfinite(parameters).all() and np.isfinite(normal).all() and np.isfinite(past).all()):
            raise Unusable("an autoencoder with weights that are not finite")
        self._adam.load({name.removeprefix("adam."): value for name, value in state.items() if "adam." in name})
        self._network.parameters[...] = parameters
        self._mean, self._deviation, self._count = normal
        self._past, self._steps = past, steps
        words = {"state": dice[0] | dice[1] << 64, "inc": dice[2] | dice[3] << 64}
        self._rng.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": words,
            "has_uint32": 0,
            "uinteger": 0,
        }

    def sound(self) -> bool:
        parameters = self._network.parameters
        return bool(np.isfinite(parameters).all() and np.abs(parameters).max() < 1e3)
