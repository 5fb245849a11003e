"""Of a part with many temperatures the one that lies is named, and not the fan that does not follow it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gamesad.neural.anomaly.budget import HOUR_S
from gamesad.neural.anomaly.detector import BLOCK_S, Detector, Watched
from gamesad.neural.anomaly.episodes import Episode
from gamesad.neural.anomaly.view import Kind
from gamesad.types import Heat, Quantity, Sensor

CHIP = "hwmon.coretemp-isa-0000"
CORES = [f"{CHIP}.temp{index}" for index in range(1, 6)]
FAN, POWER, LOAD = "hwmon.nct6799-isa-0290.fan1", "powercap.intel-rapl:0.power", "cpu.utilization"
SENSORS = {
    **{name: Sensor(name, Quantity.TEMPERATURE, name, heat=Heat.CPU, driver="coretemp") for name in CORES},
    FAN: Sensor(FAN, Quantity.FAN, "CPU fan", driver="nct6799"),
    POWER: Sensor(POWER, Quantity.POWER, "package-0"),
    LOAD: Sensor(LOAD, Quantity.UTILIZATION, "CPU"),
}


class Package:
    """The first sensor is the hottest of the others, cores, of which some have more to do; the fan follows it."""

    def __init__(self) -> None:
        self.dice = np.random.default_rng(3)
        self.second, self.load, self.shares = 0, 0.1, np.ones(4)
        self.off_c = dict.fromkeys(CORES, 0.0)
        self.stands = False

    def readings(self) -> dict[str, float]:
        if self.dice.uniform() < 0.02:
            self.load, self.shares = self.dice.uniform(0.02, 1.0), self.dice.uniform(0.3, 1.0, 4)
        power = 5.0 + 60.0 * self.load
        cores = 30.0 + 0.4 * power + 15.0 * self.load * self.shares
        true = np.array([cores.max(), *cores]) + self.dice.uniform(-0.5, 0.5, 5)
        fan = 120.0 * max(cores.max() - 38.0, 0.0) + self.dice.normal(scale=10.0)
        read = {name: value + self.off_c[name] for name, value in zip(CORES, true.tolist(), strict=True)}
        return {**read, FAN: 0.0 if self.stands else max(fan, 0.0), POWER: power, LOAD: self.load}

    def watch(self, detector: Detector, blocks: int) -> Iterator[Episode]:
        for _ in range(blocks):
            self.second += BLOCK_S
            yield from detector.step(Watched(self.second, float(self.second), self.readings(), SENSORS, {}))


@pytest.fixture(scope="module")
def saved() -> tuple[dict[str, np.ndarray], int]:
    """Five hours, of a budget that is told what 200 are like."""
    detector, package = Detector(per_week=1.0, seed=0), Package()
    for highest in 2.0 + np.random.default_rng(0).exponential(0.5, 200):
        detector._budget.watch(float(highest), HOUR_S)
    assert [*package.watch(detector, 3600)] == []
    return detector.state(), package.second


@pytest.fixture
def known(saved: tuple[dict[str, np.ndarray], int]) -> tuple[Detector, Package]:
    detector, package = Detector(per_week=1.0, seed=0), Package()
    detector.load(saved[0])
    package.second = saved[1]
    return detector, package


@pytest.mark.parametrize("off_c", [25.0, -25.0, 9.0])
@pytest.mark.parametrize("liar", [CORES[0], CORES[2]])
def test_the_sensor_that_lies_is_named_and_nothing_else_is(
    known: tuple[Detector, Package], liar: str, off_c: float
) -> None:
    detector, package = known
    package.off_c[liar] = off_c
    [begun] = package.watch(detector, 360)
    assert begun.sensor == liar
    assert begun.sentence.startswith(liar)
    assert "; the sensors beside it usually come with " in begun.sentence


@pytest.mark.parametrize(("denied", "named"), [(6.0, CORES[2]), (4.0, FAN)])
def test_of_temperatures_that_deny_each_other_the_one_that_is_wrong_by_power_is_named(
    known: tuple[Detector, Package], denied: float, named: str
) -> None:
    """A liar may move what the others are held against, and the fan, more than itself."""
    detector, package = known
    [*_] = package.watch(detector, 2)
    view, usual = detector._view, detector._usual
    at = {(target.kind, target.sensor): index for index, target in enumerate(view.targets)}
    read = package.readings()
    moment = view.moment(np.array([read[name] for name in view.names]))
    scores = np.zeros(len(detector._keys))
    scores[at[Kind.FAN, FAN]], scores[at[Kind.APART, CORES[0]]] = 11.0, denied
    usual.actual = usual.expected.copy()
    usual.actual[at[Kind.HOT, CORES[2]]] += 12.0
    assert detector._sentence(0, scores, moment)[0] == named


def test_a_fan_that_stands_is_still_named_though_all_temperatures_rise(known: tuple[Detector, Package]) -> None:
    detector, package = known
    package.stands, package.load = True, 0.9
    for name in CORES:
        package.off_c[name] = 12.0
    begun = next(package.watch(detector, 360))
    assert begun.sensor == FAN


def test_a_flicker_soon_after_a_fault_is_over_is_not_told_with_what_the_fault_left(
    known: tuple[Detector, Package],
) -> None:
    detector, package = known
    package.dice, package.stands = np.random.default_rng(4), True
    assert next(package.watch(detector, 360)).sensor == FAN
    [*_] = package.watch(detector, 200)
    package.stands = False
    [over] = package.watch(detector, 20)
    assert over.ended_s is not None
    package.stands = True
    assert [*package.watch(detector, 3)] == [], "a quarter of a minute is no fault"
    package.stands = False
    assert [*package.watch(detector, 100)] == []
    package.stands = True
    assert next(package.watch(detector, 360)).sensor == FAN, "a fault is"
