"""What is usual on this machine for every temperature, fan, power and frequency, given what else goes on.

Heat takes seconds to reach a die's sensor and many minutes to fill a case, so powers come as running means over several
spans. A temperature of a part is explained by its powers, its fans, their product and the air, twice where it is one of
three or more: as it is, and as it is beside the others. Other temperatures by all power over minutes; a fan by what it
cools; power by load and frequency; frequency by load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.anomaly.relation import Relation
from gamesad.neural.anomaly.view import Kind, Moment, View
from gamesad.neural.model import Array, Arrays

_SPANS_S = np.array([0.1, 30.0, 120.0, 600.0, 3600.0])
_NAMED_SPAN = {Kind.HOT: 1, Kind.FAN: 1, Kind.COOL: 3}
_W, _C, _RPM, _HZ = 1 / 50, 1 / 50, 1 / 2000, 1 / 3e9
_FLOOR = {Kind.HOT: 1.0, Kind.COOL: 0.7, Kind.APART: 0.5, Kind.FAN: 60.0, Kind.POWER: 1.0, Kind.FREQUENCY: 1e8}
_LEAST = {Kind.HOT: 4.0, Kind.COOL: 3.0, Kind.APART: 4.0, Kind.FAN: 300.0, Kind.POWER: 5.0, Kind.FREQUENCY: 4e8}
"""Nobody wants to be told of less: °C, rpm, W, Hz."""
_SHARE = 0.15
"""Nor of a fan, a power or a frequency that is off by less than this part of what is usual."""


class Usual:
    """``actual``, ``expected`` and ``worth`` (large enough to be told) of every target after each step."""

    def __init__(self, view: View) -> None:
        self._view = view
        parts = len(view.parts)
        kinds = [target.kind for target in view.targets]
        self._floor = np.array([_FLOOR[kind] for kind in kinds])
        self._least = np.array([_LEAST[kind] for kind in kinds])
        self._by_share = np.array([_SHARE if kind in (Kind.FAN, Kind.POWER, Kind.FREQUENCY) else 0.0 for kind in kinds])
        columns = view.columns
        self._columns: dict[Kind, NDArray[np.int_]] = {kind: columns[kind] for kind in Kind if kind is not Kind.APART}
        self._columns[Kind.HOT] = np.concatenate([columns[Kind.HOT], columns[Kind.APART]])
        """What a temperature is counted from, those beside it or 0, changes nothing about what explains it."""
        self._means = np.full((len(_SPANS_S), 5, parts), np.nan)
        widths = {kind: len(x) for kind, x in self._regressors(self._means).items()}
        self._relations = {kind: Relation(widths[kind], self._floor[at]) for kind, at in self._columns.items()}
        self.actual = self.expected = np.full(len(kinds), np.nan)
        self.worth = np.zeros(len(kinds), bool)

    def step(self, moment: Moment, seconds: float, frozen: NDArray[np.bool_]) -> Array:
        """(targets,) residuals over their spreads; NaN where one cannot be told."""
        now = np.array([moment.power, moment.fan, moment.hottest, moment.load, moment.frequency])
        pace = (1.0 - np.exp(-seconds / _SPANS_S))[:, None, None]
        held = np.where(np.isnan(self._means), now, self._means)
        self._means = np.where(np.isnan(now), held, held + pace * (now - held))
        self.actual, scaled = moment.targets, np.full(len(moment.targets), np.nan)
        self.expected, beside = scaled.copy(), self._beside(moment)
        for kind, x in self._regressors(self._means).items():
            at = self._columns[kind]
            if at.size:
                expected, scaled[at] = self._relations[kind].step(x, self.actual[at] - beside[at], frozen[at])
                self.expected[at] = beside[at] + expected
        off = np.abs(self.actual - self.expected)
        self.worth = off >= np.maximum(self._least, self._by_share * np.abs(self.expected))
        return scaled

    def _beside(self, moment: Moment) -> Array:
        """(targets,) what each is counted from: a temperature among others, their span's nearest; else 0."""
        from_ = np.zeros(len(moment.targets))
        at = self._view.columns[Kind.APART]
        part = self._view.part_of[at]
        from_[at] = np.clip(moment.targets[at], moment.coolest[part], moment.hottest[part])
        return from_

    def basis(self, kind: Kind, moment: Moment) -> Moment:
        """What a sentence names as the reason: the means that weigh most in the expectation, not the last seconds."""
        if kind not in _NAMED_SPAN:
            return moment
        power, fan, hottest, load, _frequency = self._means[_NAMED_SPAN[kind]]
        return replace(moment, power=power, fan=fan, hottest=hottest, load=load)

    def settle(self) -> None:
        """After a gap the running means begin with what is read next."""
        self._means[:] = np.nan

    def _regressors(self, means: Array) -> dict[Kind, Array]:
        """By kind, each about 1 in size; what is unknown is 0."""
        means = np.where(np.isnan(means), 0.0, means)
        power, fan, hottest, load, frequency = means[:, :, :-1].swapaxes(0, 1)
        power, fan, frequency = power * _W, fan * _RPM, frequency * _HZ
        warm = (hottest - 50.0) * _C  # about zero: a hinge in the fan's curve
        air = means[1:3, 2, -1] * _C
        whole = power.sum(axis=1)
        one = np.ones(1)
        aired = power[2:4] / (0.25 + fan[1])
        by_load = [load[0], load[1], load[0] ** 2]
        return {
            Kind.HOT: np.concatenate([one, air, *power[:4], fan[1], *aired]),
            Kind.COOL: np.concatenate([one, whole[2:], *power[2:4], fan[2]]),
            Kind.FAN: np.concatenate([one, *warm[:3], *np.maximum(warm[:2], 0.0), *np.maximum(warm[:2] - 0.3, 0.0)]),
            Kind.POWER: np.concatenate([one, *by_load, frequency[0], load[0] * frequency[0], frequency[0] ** 2]),
            Kind.FREQUENCY: np.concatenate([one, *by_load]),
        }

    def adopt(self, old: Usual, columns: Sequence[int | None]) -> None:
        """Takes over what the targets of another view have learnt; ``columns``: where each one stood there."""
        for kind, relation in self._relations.items():
            at = self._columns[kind]
            before = {index: place for place, index in enumerate(old._columns[kind].tolist())}
            kept = [None if (was := columns[index]) is None else before.get(was) for index in at.tolist()]
            if old._relations[kind].regressors == relation.regressors:
                self._relations[kind] = old._relations[kind].choose(kept, self._floor[at])

    def state(self) -> dict[str, NDArray[np.generic]]:
        saved: dict[str, NDArray[np.generic]] = {"means": self._means.copy()}
        for kind, relation in self._relations.items():
            saved |= {f"{kind}.{name}": value for name, value in relation.state().items()}
        return saved

    def load(self, state: Arrays) -> None:
        """Takes up a saved state, but for the running means. Unusable: of another machine, or not finite."""
        for kind, relation in self._relations.items():
            mark = f"{kind}."
            relation.load({name[len(mark) :]: value for name, value in state.items() if name.startswith(mark)})
        if "means" in state and state["means"].shape == self._means.shape:
            self._means = np.array(state["means"], float)

    def sound(self) -> bool:
        return all(relation.sound() for relation in self._relations.values())
