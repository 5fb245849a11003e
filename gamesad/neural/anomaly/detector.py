"""Tells what is odd about the machine: once when it begins, once when it is over, as rarely as the user wants.

Seconds are gathered into means over ``BLOCK_S``. Each target's residual (gamesad.neural.anomaly.usual), each
temperature's forecast error and the autoencoder's error has its charts; what they score is as rare as that series' own
past makes it, and the budget says how rare it must be. Whatever goes wrong with one part of the machine is one episode.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.anomaly import sentences
from gamesad.neural.anomaly.budget import Budget
from gamesad.neural.anomaly.charts import Charts
from gamesad.neural.anomaly.episodes import Episode, Episodes
from gamesad.neural.anomaly.habit import STATE, Habit, machine_state
from gamesad.neural.anomaly.usual import Usual
from gamesad.neural.anomaly.view import NAN, Kind, Moment, View, declarations, sensors_of
from gamesad.neural.model import Array, Arrays, Unusable
from gamesad.types import Heat, Quantity, Sensor

BLOCK_S = 5
_GAP_S = 60
_QUIET_S = 900.0
"""After a start or a gap: nobody knows how warm the case is."""
_NEW_SENSORS_S = 60.0
_THAW = 3 * 86400 // BLOCK_S
"""After three days what is odd is learnt all the same: a new cooler, another place."""
_PATIENCE = 20.0
_FLOORS = (0.8, 0.3, 0.5)
"""The least spread of a relation's residual, of a forecast's error, of the logarithm of the habit's."""
_NEARLY, _DENIED = 0.7, 0.5
"""So high, of the oddest, is the score of what is told instead: a relation, temperatures that deny each other."""
_MOST = 1e3


@dataclass(frozen=True, slots=True)
class Watched:
    """One second. ``residuals``: each temperature's forecast error over its running deviation.

    ``critical_gap``: what was before does not lead up to this, as after a suspend.
    """

    second: int
    wall_s: float
    readings: Mapping[str, float]
    sensors: Mapping[str, Sensor]
    residuals: Mapping[str, float]
    critical_gap: bool = False


class Detector:
    """``per_week``: how many false alarms the user puts up with. Silent but for the extreme until a day is watched."""

    _charts: Charts

    def __init__(self, *, per_week: float, seed: int) -> None:
        self._budget = Budget(per_week)
        self._habit = Habit(seed=seed)
        self._episodes = Episodes()
        self._sensors: Mapping[str, Sensor] | None = None
        self._second: int | None = None
        self._waits_s = _QUIET_S
        self._wall_s = self._score = 0.0
        self._sound = True
        self._look({})

    # One second

    def step(self, moment: Watched) -> list[Episode]:
        """The episodes that begin or end in this second."""
        self._wall_s = moment.wall_s
        told: list[Episode] = []
        if moment.sensors is not self._sensors:
            told += self._know(moment.sensors)
        before, self._second = self._second, moment.second
        if moment.critical_gap or (before is not None and not 0 < moment.second - before <= _GAP_S):
            self._settle()
        elif before is not None and moment.second // BLOCK_S != before // BLOCK_S and self._rows:
            told += self._block()
        reading, far = moment.readings.get, moment.residuals.get
        row = [reading(name, NAN) for name in self._view.names]
        row += [far(name, NAN) for name in self._temperatures]
        self._rows.append(row)
        return told

    @property
    def active(self) -> list[Episode]:
        return self._episodes.active

    def allow(self, per_week: float) -> None:
        """The user puts up with another number of false alarms from now on."""
        self._budget.per_week = per_week

    def status(self) -> dict[str, Any]:
        """For ``neural status``; scores are −log10 of a probability."""
        return {
            "State": "watching" if self._budget.warm else "learning what is usual; only the extreme is told",
            "Budget": self._budget.per_week,
            "Rate": round(self._budget.rate(self._wall_s), 3),
            "Threshold": round(self._budget.threshold(self._wall_s), 2),
            "Score": round(self._score, 2),
            "Active": [episode.plain() for episode in self.active],
            "Recent": [episode.plain() for episode in self._episodes.recent],
        }

    # Five seconds

    def _block(self) -> list[Episode]:
        rows, wanted = np.array(self._rows, dtype=float), len(self._view.names)
        self._rows.clear()
        rows[:, wanted:] = np.abs(rows[:, wanted:])
        values = _means(np.where(np.abs(rows) < 1e12, rows, NAN))
        moment = self._view.moment(values[:wanted])
        quiet = self._waits_s > 0.0
        self._waits_s -= BLOCK_S
        frozen = self._frozen(quiet)
        targets = len(self._view.targets)
        scaled = self._usual.step(moment, BLOCK_S, frozen[:targets])
        self._state = machine_state(moment)
        strange = self._habit.step(self._state, learn=not frozen[-1])
        self._series = np.concatenate([np.clip(scaled, -_MOST, _MOST), np.minimum(values[wanted:], _MOST), [strange]])
        scores = np.zeros(len(self._series))
        if not quiet:
            scores = np.nan_to_num(self._charts.step(self._series, frozen))
            scores[:targets] *= self._usual.worth
        self._sound = all(model.sound() for _mark, model in self._models())
        return self._judge(scores, moment, quiet)

    def _frozen(self, quiet: bool) -> NDArray[np.bool_]:
        """The series of parts with an open episode are not learnt from, nor is anything while the case warms up."""
        odd = self._episodes.younger(_THAW)
        frozen: NDArray[np.bool_] = np.isin(self._part_of, odd) | quiet
        frozen[-1] = quiet or bool(odd)
        return frozen

    def _judge(self, scores: Array, moment: Moment, quiet: bool) -> list[Episode]:
        self._part_of[-1] = self._part_of_habit()
        by_part = np.zeros(len(self._view.parts))
        np.maximum.at(by_part, self._part_of, scores)
        self._score = float(by_part.max())
        if not quiet:
            self._budget.watch(self._score, BLOCK_S, faulty=bool(self.active))
        over, beginning = self._episodes.look(by_part, lambda: self._budget.threshold(self._wall_s), self._wall_s)
        if over:  # the charts still remember it, and would tell of the next flicker
            self._charts.settle(np.isin(self._part_of, [*over]))
        told = [*over.values()]
        for part in beginning:
            threshold = self._budget.threshold(self._wall_s)
            if by_part[part] < threshold:
                continue
            sensor, label, sentence = self._sentence(part, scores, moment)
            episode = Episode(sensor, label, self._wall_s, None, float(by_part[part]), threshold, sentence)
            self._episodes.begin(part, episode)
            self._budget.tell(self._wall_s)
            told.append(episode)
        return told

    def _sentence(self, part: int, scores: Array, moment: Moment) -> tuple[str, str, str]:
        """Sensor, label and sentence of what is oddest; of a relation, which says most, if it is nearly that."""
        view, usual = self._view, self._usual
        count = len(view.targets)
        mine = np.where(self._part_of == part, scores, 0.0)
        index = int(mine.argmax())
        if count and mine[:count].max() >= _NEARLY * mine[index]:
            index = int(mine[:count].argmax())
        apart = view.columns[Kind.APART]
        if apart.size and mine[apart].max() >= _DENIED * mine[index]:
            index = self._liar(part)
        if index < count:
            target = view.targets[index]
            actual, expected = float(usual.actual[index]), float(usual.expected[index])
            basis = usual.basis(target.kind, moment)
            return target.sensor, target.label, sentences.relation(target, actual, expected, basis, view)
        if index < len(mine) - 1:
            at = self._warm[index - count]
            target, times = view.targets[at], self._charts.times(index)
            return target.sensor, target.label, sentences.forecast(target.label, float(moment.targets[at]), times)
        worst = int(self._habit.strangeness.argmax())
        label, quantity = STATE[worst]
        actual, expected = float(self._state[worst]), float(self._habit.expected[worst])
        return self._stands_for(quantity, part), label, sentences.habit(label, actual, expected, quantity)

    def _liar(self, part: int) -> int:
        """Where a part's temperatures deny each other, the target of the one that is furthest from what power gives."""
        off = np.abs(self._usual.actual - self._usual.expected)
        by_power = {self._view.targets[i].sensor: float(off[i]) for i in self._view.columns[Kind.HOT].tolist()}
        mine: list[int] = [i for i in self._view.columns[Kind.APART].tolist() if self._part_of[i] == part]
        return max(mine, key=lambda i: float(np.nan_to_num(by_power[self._view.targets[i].sensor])))

    def _stands_for(self, quantity: Quantity, part: int) -> str:
        """The sensor of that quantity in the part, or any."""
        named = [
            (one.part != part, one.sensor) for one in self._view.targets if sentences.QUANTITY[one.kind] is quantity
        ]
        return min(named)[1] if named else next(iter(self._view.names), "")

    def _part_of_habit(self) -> int:
        """The part of the input that fits worst: a card for its load, none for memory and waiting, else the first."""
        label = STATE[int(self._habit.strangeness.argmax())][0]
        last = len(self._view.parts) - 1
        if label == "GPU load":
            return next((i for i, key in enumerate(self._view.parts) if key.startswith(Heat.GPU)), last)
        return last if label in ("memory", "waiting for CPU") else 0

    # Sensors that come and go, gaps

    def _settle(self) -> None:
        """After a gap: what was gathered is void, and the case may have any temperature."""
        self._rows.clear()
        self._usual.settle()
        self._charts.settle()
        self._episodes.forget()
        self._waits_s = _QUIET_S

    def _know(self, sensors: Mapping[str, Sensor]) -> list[Episode]:
        """Other sensors: what is known of those that stay is kept, and the new ones get time."""
        self._sensors = sensors
        declared = declarations(sensors)
        if np.array_equal(declared, self._declared):
            return []
        first, keys, parts = not len(self._declared), self._keys, self._view.parts
        usual, charts = self._usual, self._charts
        self._look(sensors)
        if first:
            return []
        at = {key: index for index, key in enumerate(keys)}
        columns = [at.get(key) for key in self._keys]
        self._charts = charts.choose(columns, self._floor)
        self._usual.adopt(usual, columns[: len(self._view.targets)])
        self._waits_s = max(self._waits_s, _NEW_SENSORS_S)
        places = {key: index for index, key in enumerate(self._view.parts)}
        return self._episodes.rename({i: places[key] for i, key in enumerate(parts) if key in places}, self._wall_s)

    def _look(self, sensors: Mapping[str, Sensor]) -> None:
        """Everything that depends on which sensors there are, fresh."""
        self._declared = declarations(sensors)
        self._view = view = View(sensors)
        self._usual = Usual(view)
        self._warm = [i for i, one in enumerate(view.targets) if one.kind in (Kind.HOT, Kind.COOL)]
        self._temperatures = [view.targets[index].sensor for index in self._warm]
        self._keys = [f"{one.kind}:{one.sensor}" for one in view.targets]
        self._keys += [*(f"forecast:{name}" for name in self._temperatures), "habit"]
        kinds = [len(view.targets), len(self._temperatures), 1]
        self._floor = np.repeat(_FLOORS, kinds)
        self._charts = Charts(len(self._keys), floor=self._floor, patience=_PATIENCE, light=True)
        self._part_of = np.concatenate([view.part_of, view.part_of[self._warm], [0]]).astype(int)
        self._rows: list[list[float]] = []
        self._state = np.full(len(STATE), NAN)
        self._series = np.full(len(self._keys), NAN)

    # Its life

    def _models(self) -> Iterator[tuple[str, Charts | Usual | Habit | Budget | Episodes]]:
        yield "charts.", self._charts
        yield "usual.", self._usual
        yield "habit.", self._habit
        yield "budget.", self._budget
        yield "episodes.", self._episodes

    def state(self) -> dict[str, NDArray[np.generic]]:
        now = [self._waits_s, self._wall_s, self._score, NAN if self._second is None else self._second]
        rows = np.array(self._rows, dtype=float).reshape(len(self._rows), -1 if self._rows else 0)
        saved: dict[str, NDArray[np.generic]] = {"declared": self._declared, "rows": rows, "now": np.array(now)}
        for mark, model in self._models():
            saved |= {mark + name: value for name, value in model.state().items()}
        return saved

    def copy(self) -> dict[str, NDArray[np.generic]]:
        return self.state()

    def load(self, state: Arrays) -> None:
        """Takes up a saved state with the sensors it was saved with. Unusable: nothing has changed."""
        made = Detector(per_week=self._budget.per_week, seed=0)
        try:
            declared, rows, now = state["declared"], np.array(state["rows"], float), np.array(state["now"], float)
            made._look(sensors_of(np.array(declared, str).reshape(-1, 5)))
        except (KeyError, ValueError) as error:
            raise Unusable(f"a detector without usable {error}") from None
        width = len(made._view.names) + len(made._temperatures)
        if now.shape != (4,) or rows.ndim != 2 or (len(rows) and rows.shape[1] != width):
            raise Unusable("a detector of another shape")
        if not np.isfinite(now[:3]).all():
            raise Unusable("a detector with times that are not finite")
        for mark, model in made._models():
            model.load({name[len(mark) :]: value for name, value in state.items() if name.startswith(mark)})
        made._waits_s, made._wall_s, made._score = now[:3].tolist()
        made._second = None if np.isnan(now[3]) else int(now[3])
        made._rows = rows.tolist()
        made._sound = all(model.sound() for _mark, model in made._models())
        self.__dict__.update(made.__dict__)

    def sound(self) -> bool:
        """As of the last block: nothing is learnt between two."""
        return self._sound


def _means(rows: Array) -> Array:
    """(seconds, names) → (names,): of what is known, NaN where nothing is."""
    here = ~np.isnan(rows)
    known = here.sum(axis=0)
    return np.where(known > 0, np.where(here, rows, 0.0).sum(axis=0) / np.maximum(known, 1), NAN)
