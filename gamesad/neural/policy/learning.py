"""Double Q-learning with a target network (van Hasselt, Guez and Silver 2016) over options of some seconds.

What an action is worth: the rewards of the seconds that it was in force, discounted, and what the best next action is
worth, discounted by its duration (Sutton, Precup and Singh 1999). The online network chooses the next action, the
target network says what it is worth; the loss is Huber's with a unit threshold.
"""

from __future__ import annotations

import numpy as np

from gamesad.neural.model import Array, Arrays, Unusable
from gamesad.neural.network import Adam, Network
from gamesad.types import Action

ACTIONS = (Action.NOOP, Action.THROTTLE, Action.BOOST, Action.REDUCE_POWER, Action.CONSERVATIVE)
PERIOD_S = 5.0
"""An action is chosen so often, and γ is the discount over it."""
GAMMA = 0.95
SIZES = (8, 32, 16, 5)
BATCH = 32
_SAFE = 1e4


def discount(seconds: float) -> float:
    return float(GAMMA ** (seconds / PERIOD_S))


def finite(state: Arrays, name: str, shape: tuple[int, ...]) -> Array:
    """A saved array. Unusable: missing, of another shape or not finite."""
    array = np.asarray(state.get(name, ()), float)
    if array.shape != shape or not np.isfinite(array).all():
        raise Unusable(f"{name} of the policy is not finite or of another shape")
    return array


class Ring:
    """The last ``size`` rows of ``width`` numbers."""

    def __init__(self, size: int, width: int) -> None:
        self.rows = np.zeros((size, width))
        self.filled = 0
        self._next = 0

    def put(self, *parts: Array | float) -> None:
        self.rows[self._next] = np.concatenate([np.atleast_1d(part) for part in parts])
        self._next = (self._next + 1) % len(self.rows)
        self.filled = min(self.filled + 1, len(self.rows))

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """``count`` rows at random, the newest always among them."""
        at = rng.integers(0, self.filled, count)
        at[0] = self._next - 1
        return self.rows[at]

    def state(self) -> Array:
        """The rows from the oldest to the newest."""
        if self.filled < len(self.rows):
            return self.rows[: self.filled].copy()
        return np.concatenate([self.rows[self._next :], self.rows[: self._next]])

    def load(self, rows: Array) -> None:
        self.filled = len(rows)
        self._next = self.filled % len(self.rows)
        self.rows[: self.filled] = rows
        if self.filled == len(self.rows):
            self._next = 0


class DoubleQ:
    """Values (5,) of an input (8,), learnt from transitions: input, action, reward, discount, next input."""

    RECENT = 2048
    _SYNC = 100

    def __init__(self, rng: np.random.Generator, *, rate: float = 1e-3) -> None:
        self.online = Network(SIZES, batch=BATCH, rng=rng, output_zero=True)
        self.target = Network(SIZES, batch=BATCH, rng=rng)
        self.target.parameters[...] = self.online.parameters
        self.memory = Ring(self.RECENT, 8 + 1 + 1 + 1 + 8)
        self.steps = 0
        self._adam = Adam(self.online.parameters.size, rate=rate)
        self._gradient = np.zeros((BATCH, SIZES[-1]))
        self._rows = np.arange(BATCH)

    def values(self, inputs: Array) -> Array:
        """(8,) → (5,), in rewards of a period."""
        values: Array = self.online.forward(inputs[None])[0].copy()
        return values

    def remember(self, inputs: Array, action: int, reward: float, keep: float, after: Array) -> None:
        self.memory.put(inputs, float(action), reward, keep, after)

    def learn(self, rng: np.random.Generator) -> None:
        """One step on the newest transition and 31 of the recent past."""
        if self.memory.filled < BATCH:
            return
        rows = self.memory.draw(rng, BATCH)
        actions, after = rows[:, 8].astype(np.intp), rows[:, 11:]
        best = self.online.forward(after).argmax(1)
        wanted = rows[:, 9] + rows[:, 10] * self.target.forward(after)[self._rows, best]
        values = self.online.forward(rows[:, :8])
        self._gradient.fill(0.0)
        error = values[self._rows, actions] - wanted
        self._gradient[self._rows, actions] = np.clip(error, -1.0, 1.0) / BATCH
        self._adam.step(self.online.parameters, self.online.backward(self._gradient))
        self.steps += 1
        if self.steps % self._SYNC == 0:
            self.target.parameters[...] = self.online.parameters

    def sound(self) -> bool:
        return bool(np.abs(self.online.parameters).max() < _SAFE)

    def state(self) -> dict[str, np.ndarray]:
        return {
            "online": self.online.parameters.copy(),
            "target": self.target.parameters.copy(),
            "memory": self.memory.state(),
            "learnt": np.array(self.steps),
            **{f"adam_{name}": value for name, value in self._adam.state().items()},
        }

    def load(self, state: Arrays) -> None:
        shape = self.online.parameters.shape
        online, target = finite(state, "online", shape), finite(state, "target", shape)
        rows = len(np.atleast_1d(state.get("memory", ())))
        memory = finite(state, "memory", (min(rows, self.RECENT), self.memory.rows.shape[1]))
        if not np.isin(memory[:, 8], range(len(ACTIONS))).all():
            raise Unusable("the policy's memory holds actions that there are not")
        steps = int(finite(state, "learnt", ()))
        self._adam.load({name: state.get(f"adam_{name}", np.zeros(0)) for name in ("mean", "square", "steps")})
        self.online.parameters[...], self.target.parameters[...], self.steps = online, target, steps
        self.memory.load(memory)
