"""The newest tick, as a client sees it. Light: clients import it."""

from __future__ import annotations

from math import isnan
from struct import unpack_from

from gamesad.crystal import layout
from gamesad.crystal.errors import Damaged

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself would cost a client more than all of this
    from gamesad.crystal.directory import Directory


class Forecast:
    """Per sensor, the values expected at each of ``horizon_s`` and upper bounds met with ``confidence``.

    ``crossing``: the probability that its limit is reached within the last horizon; absent where that is not known.
    Where more sensors are forecast than there is room for, those nearest to their limits are here.
    """

    __slots__ = ("confidence", "crossing", "expected", "horizon_s", "upper")

    def __init__(self, confidence: float, horizon_s: tuple[float, ...]) -> None:
        self.confidence = confidence
        self.horizon_s = horizon_s
        self.expected: dict[str, tuple[float, ...]] = {}
        self.upper: dict[str, tuple[float, ...]] = {}
        self.crossing: dict[str, float] = {}


class Latest:
    """One tick. What has no value is absent from ``values`` and has a state that says why (``layout.ABSENT`` ...).

    ``states`` holds every sensor that is in use. ``ages`` names only what was not read in this very tick, in s.
    ``limits`` is what each temperature is regulated to, ``directory`` says what the sensors are.
    ``decision_number`` is that of the decision in force.
    """

    __slots__ = (
        "_text", "action", "ages", "decision_number", "directory", "directory_generation", "duration_s", "forecast",
        "limits", "mode", "monotonic_ns", "source", "states", "thermal_state", "tick", "uptime_s", "values", "wall_ns",
    )  # fmt: skip

    def __init__(self, data: bytes, capacity: int, directory: Directory) -> None:
        """From a record's contents. Damaged."""
        self.directory = directory
        begin = layout.latest_size(capacity)
        if len(data) < begin:
            raise Damaged("the latest tick is shorter than its columns; restart gamesad")
        (
            self.tick, self.monotonic_ns, self.wall_ns, self.decision_number, self.duration_s, self.uptime_s,
            self.directory_generation, used, thermal_state, mode, action, source, text_size, horizons, forecasts,
        ) = layout.LATEST_HEAD.unpack_from(data)  # fmt: skip
        if len(data) != begin + text_size or used > capacity:
            raise Damaged("the latest tick speaks of more than it holds; restart gamesad")
        if horizons > layout.HORIZONS or forecasts > layout.FORECASTS:
            raise Damaged("the latest tick speaks of more forecasts than there is room for; restart gamesad")
        try:
            self.thermal_state, self.mode = layout.THERMAL_STATES[thermal_state], layout.MODES[mode]
            self.action, self.source = layout.ACTIONS[action], layout.SOURCES[source]
        except IndexError:
            raise Damaged("the latest tick is of a kind that there is not; restart gamesad") from None
        names = [column.name for column in directory.columns[:used]]
        at = layout.aligned(layout.LATEST_HEAD.size)
        values = unpack_from(f"<{used}d", data, at)
        limits = unpack_from(f"<{used}d", data, at + 8 * capacity)
        ages = unpack_from(f"<{used}f", data, at + 16 * capacity)
        at += 16 * capacity + layout.aligned(4 * capacity)
        states = data[at : at + used]
        self.values: dict[str, float] = {
            name: value
            for name, value, state in zip(names, values, states, strict=False)
            if state == layout.OK and not isnan(value)
        }
        self.limits: dict[str, float] = {
            name: limit for name, limit in zip(names, limits, strict=False) if not isnan(limit)
        }
        self.ages: dict[str, float] = {name: age for name, age in zip(names, ages, strict=False) if age > 0}
        self.states: dict[str, int] = {name: state for name, state in zip(names, states, strict=False) if state}
        self.forecast = _forecast(data, at + layout.aligned(capacity), horizons, forecasts, names)
        self._text = data[begin:]

    @property
    def text(self) -> layout.Texts:
        """Everything of the tick that is not a sensor's number, as GetStatus of the bus names it. Damaged."""
        try:
            return layout.from_text(self._text.decode())
        except ValueError as error:
            raise Damaged(f"the text of the latest tick cannot be read ({error}); restart gamesad") from None


def _forecast(data: bytes, at: int, horizons: int, forecasts: int, names: list[str]) -> Forecast | None:
    if not forecasts:
        return None
    confidence, *horizon_s = layout.CONFIDENCE.unpack_from(data, at)
    forecast = Forecast(confidence, tuple(horizon_s[:horizons]))
    at += layout.CONFIDENCE.size
    for place in range(forecasts):
        column, crossing, *numbers = layout.FORECAST.unpack_from(data, at + place * layout.FORECAST.size)
        if column < len(names):
            forecast.expected[names[column]] = tuple(numbers[:horizons])
            forecast.upper[names[column]] = tuple(numbers[layout.HORIZONS : layout.HORIZONS + horizons])
            if not isnan(crossing):
                forecast.crossing[names[column]] = crossing
    return forecast
