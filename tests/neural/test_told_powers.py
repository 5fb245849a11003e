"""What is learnt lies in memory that everybody may read."""

from __future__ import annotations

from typing import Any

from gamesad.config import NeuralConfig
from gamesad.neural.host import Host
from gamesad.types import Controls, Quantity, Sensor, Snapshot
from tests.support.ticks import tick

SENSORS = {
    "a": Sensor("a", Quantity.TEMPERATURE, "A"),
    "p": Sensor("p", Quantity.POWER, "P"),
    "gone": Sensor("gone", Quantity.POWER, "Q"),
}


class Looking:
    """Takes the place of a learner and remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[dict[str, float]] = []

    def forecast(self, snapshot: Snapshot, *_: object) -> None:
        self.seen.append(dict(snapshot.readings))

    advice = forecast

    def learn(self, tick: Any, *_: object) -> list[Any]:
        self.seen.append(dict(tick.snapshot.readings))
        return []


def test_powers_are_rounded_before_anything_is_learnt_from_them() -> None:
    looking: Any = Looking()
    host = Host(NeuralConfig(), lambda _state: None, folder=None, machine="m")
    host.learner = looking
    for number, power_w in enumerate((17.3456, 18.75001)):
        snapshot = Snapshot(number, float(number), {"a": 61.2345, "p": power_w})
        host.forecast(snapshot, SENSORS, {})
        host.advice(snapshot, None, {}, tick({}).intent, SENSORS, Controls({}, {}))
        host.learn(tick(snapshot.readings), SENSORS, 5.0)
        assert snapshot.readings["p"] == power_w, "what decides is shown everything"
    assert looking.seen == [{"a": 61.2345, "p": 17.3}] * 3 + [{"a": 61.2345, "p": 18.8}] * 3
