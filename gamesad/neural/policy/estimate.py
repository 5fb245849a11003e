"""What the policy is worth against the rules, with an interval that is honest about how little is known.

A decision is judged by what followed: the rewards of the next 300 s, discounted. A second network, 8-16-5, learns what
follows each action and then the rules, from what the rules did and from the choices made at random.

- Within the dead band, where those choices are: doubly robust (Dudík, Langford and Li 2011) for one deviation from the
  rules, then the rules again. Right whatever the network says, since the probabilities are known. Longer deviations
  (Jiang and Li 2016) multiply them: after two of 1 in 80 no number of hours would do.
- Elsewhere: model-based, that network's word against what came of the policy's own decisions.

Decisions that follow each other share their future, so what is averaged are spells of ``SPELL_S``, and the interval is
Student's over them, at 90 %.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from gamesad.neural.model import Array, Arrays, Unusable
from gamesad.neural.network import Adam, Network
from gamesad.neural.policy.learning import ACTIONS, BATCH, GAMMA, PERIOD_S, Ring, discount, finite

FUTURE_S = 300
SPELL_S = 900
_SPELLS = 96
_LEAST_SPELLS = 6
_LEAST_FOLLOWED = 300
"""What follows the rules is not known from fewer decisions."""
_T90 = (6.31, 2.92, 2.35, 2.13, 2.02, 1.94, 1.89, 1.86, 1.83, 1.81)
_PER_SECOND = 1.0 - GAMMA
"""A discounted return times this is the reward a second that would give it for ever."""
_WEIGHTS = np.array([discount(s) / PERIOD_S for s in range(FUTURE_S)])
_NOOP = ACTIONS.index("noop")


class Interval(NamedTuple):
    """Reward a second, more (or less) than the rules'; 90 % confidence."""

    mean: float
    low: float
    high: float
    spells: int


class Spells:
    """Averages over spells of time that are about independent: (sum, count) of each, the newest last."""

    def __init__(self) -> None:
        self.sums: deque[tuple[int, float, int]] = deque(maxlen=_SPELLS)

    def add(self, second: int, value: float) -> None:
        number = second // SPELL_S
        total, count = 0.0, 0
        if self.sums and self.sums[-1][0] == number:
            _number, total, count = self.sums.pop()
        self.sums.append((number, total + value, count + 1))

    def interval(self) -> Interval | None:
        """None until there are enough spells to speak of an interval."""
        means = [total / count for _number, total, count in self.sums]
        if len(means) < _LEAST_SPELLS:
            return None
        mean, degrees = float(np.mean(means)), len(means) - 1
        t90 = _T90[degrees - 1] if degrees <= len(_T90) else 1.645 + 1.65 / degrees
        half = t90 * float(np.std(means, ddof=1)) / math.sqrt(len(means))
        return Interval(mean, mean - half, mean + half, len(means))


class Pending(NamedTuple):
    """A decision whose future is not over. ``chance``, ``noop_chance``: of what was done and of noop, where that was
    chosen at random (then ``random``). ``own``: the policy's, in act mode."""

    second: int
    done: int
    wanted: int
    inputs: tuple[float, ...]
    chance: float = 1.0
    noop_chance: float = 1.0
    random: bool = False
    own: bool = False


class Judge:
    """Keeps decisions until their future is known, learns from it what follows, and compares."""

    RECENT = 2048

    def __init__(self, rng: np.random.Generator) -> None:
        self.outcome = Network((8, 16, 5), batch=BATCH, rng=rng, output_zero=True)
        self.memory = Ring(self.RECENT, 8 + 1 + 1)
        self.robust, self.modelled = Spells(), Spells()
        self.rules_value = math.nan
        """Reward a second of the last decision left to the rules, running mean."""
        self._adam = Adam(self.outcome.parameters.size, rate=1e-3)
        self._rewards = np.zeros(FUTURE_S)
        self._pending: deque[Pending] = deque(maxlen=FUTURE_S)
        self._rows = np.arange(BATCH)
        self._gradient = np.zeros((BATCH, len(ACTIONS)))

    def broken(self) -> None:
        """Seconds are missing: no future of before is known."""
        self._pending.clear()

    def decided(self, pending: Pending) -> None:
        self._pending.append(pending)

    def passed(self, second: int, reward: float) -> None:
        """A second is over, with this reward; decisions that are old enough are judged."""
        self._rewards[second % FUTURE_S] = reward
        while self._pending and second - self._pending[0].second >= FUTURE_S:
            first = self._pending.popleft()
            start = (first.second + 1) % FUTURE_S
            self._judge(first, float(_WEIGHTS @ np.roll(self._rewards, -start)))

    def _judge(self, was: Pending, followed: float) -> None:
        values = self.outcome.forward(np.array([was.inputs]))[0].copy()
        if was.own:
            if self.memory.filled >= _LEAST_FOLLOWED:
                self.modelled.add(was.second, (followed - values[_NOOP]) * _PER_SECOND)
            return
        worth = followed * _PER_SECOND
        self.rules_value = (
            worth if math.isnan(self.rules_value) else self.rules_value + 0.005 * (worth - self.rules_value)
        )
        if was.random:
            surprise = followed - values[was.done]
            gain = values[was.wanted] - values[_NOOP]
            gain += surprise * ((was.done == was.wanted) / was.chance - (was.done == _NOOP) / was.noop_chance)
            self.robust.add(was.second, gain * _PER_SECOND)
        self.memory.put(np.array(was.inputs), float(was.done), followed)

    def learn(self, rng: np.random.Generator) -> None:
        if self.memory.filled < BATCH:
            return
        rows = self.memory.draw(rng, BATCH)
        done = rows[:, 8].astype(np.intp)
        values = self.outcome.forward(rows[:, :8])
        self._gradient.fill(0.0)
        self._gradient[self._rows, done] = np.clip(values[self._rows, done] - rows[:, 9], -1.0, 1.0) / BATCH
        self._adam.step(self.outcome.parameters, self.outcome.backward(self._gradient))

    def expects(self, inputs: Array, wanted: int) -> float:
        """Model-based: the reward a second that an action, and then the rules, would add."""
        values = self.outcome.forward(inputs[None])[0]
        return float(values[wanted] - values[_NOOP]) * _PER_SECOND

    def sound(self) -> bool:
        return bool(np.abs(self.outcome.parameters).max() < 1e4)

    def state(self) -> dict[str, np.ndarray]:
        return {
            "outcome": self.outcome.parameters.copy(),
            "outcomes": self.memory.state(),
            "robust": np.array(self.robust.sums, float).reshape(-1, 3),
            "modelled": np.array(self.modelled.sums, float).reshape(-1, 3),
            "rules_value": np.array(self.rules_value),
            "rewards": self._rewards.copy(),
            "pending": np.array([(*was[:3], *was[4:], *was.inputs) for was in self._pending], float).reshape(-1, 15),
            **{f"judge_{name}": value for name, value in self._adam.state().items()},
        }

    def load(self, state: Arrays) -> None:
        """Unusable: nothing has changed."""
        outcome = finite(state, "outcome", self.outcome.parameters.shape)
        tables = {}
        for name, width, most in (
            ("outcomes", 10, self.RECENT),
            ("robust", 3, _SPELLS),
            ("modelled", 3, _SPELLS),
            ("pending", 15, FUTURE_S),
        ):
            tables[name] = finite(state, name, (min(len(np.atleast_1d(state.get(name, ()))), most), width))
        if not np.isin(np.concatenate([tables["outcomes"][:, 8], tables["pending"][:, 1]]), range(len(ACTIONS))).all():
            raise Unusable("the policy's judge remembers actions that there are not")
        rewards = finite(state, "rewards", (FUTURE_S,))
        value = np.asarray(state.get("rules_value", ()), float)
        if value.shape != () or np.isinf(value):
            raise Unusable("the value of the rules is not a number")
        self._adam.load({name: state.get(f"judge_{name}", np.zeros(0)) for name in ("mean", "square", "steps")})
        self.outcome.parameters[...], self._rewards[...], self.rules_value = outcome, rewards, float(value)
        self.memory.load(tables["outcomes"])
        for spells, name in ((self.robust, "robust"), (self.modelled, "modelled")):
            spells.sums = deque(((int(n), total, int(count)) for n, total, count in tables[name]), maxlen=_SPELLS)
        self._pending = deque(
            (
                Pending(
                    int(row[0]), int(row[1]), int(row[2]), tuple(row[7:]), row[3], row[4], bool(row[5]), bool(row[6])
                )
                for row in tables["pending"].tolist()
            ),
            maxlen=FUTURE_S,
        )
