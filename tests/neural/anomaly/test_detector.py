"""The detector tells of a machine what is odd, once, with its end, and keeps still otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.neural.anomaly.budget import HOUR_S
from gamesad.neural.anomaly.detector import BLOCK_S, Detector, Watched
from gamesad.neural.anomaly.episodes import Episode
from gamesad.neural.model import Unusable
from gamesad.types import Heat, Quantity, Sensor

CPU = "hwmon.coretemp-isa-0000.temp1"
AIR = "hwmon.acpitz-virtual-0.temp1"
FAN = "hwmon.nct6799-isa-0290.fan1"
POWER = "powercap.intel-rapl:0.power"
LOAD = "cpu.utilization"
CLOCK = "cpufreq.policy0.frequency"
MADE = (
    Sensor(CPU, Quantity.TEMPERATURE, "CPU package", heat=Heat.CPU, driver="coretemp"),
    Sensor(AIR, Quantity.TEMPERATURE, "acpitz", heat=Heat.OTHER, driver="acpitz"),
    Sensor(FAN, Quantity.FAN, "CPU fan", driver="nct6799"),
    Sensor(POWER, Quantity.POWER, "package-0", driver="intel-rapl"),
    Sensor(LOAD, Quantity.UTILIZATION, "CPU"),
    Sensor(CLOCK, Quantity.FREQUENCY, "CPU 0", driver="cpufreq"),
)
SENSORS = {sensor.name: sensor for sensor in MADE}
Change = Callable[[dict[str, float]], None]


class Room:
    """A processor whose readings follow its load, in steps of one block; ``watch`` shows them to a detector."""

    def __init__(self, seed: int = 0) -> None:
        self.dice = np.random.default_rng(seed)
        self.second = 0
        self.load, self.restless = 0.1, 0.02
        self.sensors = SENSORS

    def readings(self) -> dict[str, float]:
        if self.dice.uniform() < self.restless:
            self.load = float(self.dice.uniform(0.02, 1.0))
        load, noise = self.load, self.dice.normal(size=6)
        power = 5.0 + 60.0 * load + 0.3 * noise[0]
        return {
            POWER: power,
            LOAD: min(max(load + 0.01 * noise[1], 0.0), 1.0),
            FAN: 700.0 + 1500.0 * load + 15.0 * noise[2],
            CPU: 32.0 + 0.6 * power + 0.4 * noise[3],
            AIR: 26.0 + 0.2 * noise[4],
            CLOCK: 1.2e9 + 3e9 * load + 2e7 * noise[5],
        }

    def watch(self, detector: Detector, blocks: int, change: Change | None = None) -> Iterator[Episode]:
        for _ in range(blocks):
            self.second += BLOCK_S
            readings = self.readings()
            if change is not None:
                change(readings)
            yield from detector.step(Watched(self.second, float(self.second), readings, self.sensors, {}))


def taught(blocks: int = 4000) -> tuple[Detector, Room]:
    """Well after its first day: the budget is told what 200 ordinary hours are like."""
    detector, room = Detector(per_week=1.0, seed=0), Room()
    for highest in 2.0 + np.random.default_rng(0).exponential(0.5, 200):
        detector._budget.watch(float(highest), HOUR_S)
    assert [*room.watch(detector, blocks)] == [], "nothing is odd about five hours of ordinary life"
    return detector, room


@pytest.fixture(scope="module")
def saved() -> tuple[dict[str, np.ndarray], int]:
    detector, room = taught()
    return detector.state(), room.second


@pytest.fixture
def known(saved: tuple[dict[str, np.ndarray], int]) -> tuple[Detector, Room]:
    detector, room = Detector(per_week=1.0, seed=5), Room(seed=1)
    detector.load(saved[0])
    room.second = saved[1]
    return detector, room


def fan_stands(readings: dict[str, float]) -> None:
    readings[FAN] = 0.0


def hotter(readings: dict[str, float]) -> None:
    readings[CPU] += 15.0


def test_a_fan_that_stands_is_told_once_and_when_it_is_over(known: tuple[Detector, Room]) -> None:
    detector, room = known
    [begun] = room.watch(detector, 400, fan_stands)
    assert begun.ended_s is None
    assert (begun.sensor, begun.label) == (FAN, "CPU fan")
    assert begun.sentence.startswith("CPU fan stands still at 0 rpm; ")
    assert begun.score >= begun.threshold
    assert [episode.sensor for episode in detector.active] == [FAN]
    [over] = room.watch(detector, 800)
    assert over.began_s == begun.began_s
    assert over.ended_s is not None
    assert over.sentence == begun.sentence
    assert detector.active == []
    assert [one["Sensor"] for one in detector.status()["Recent"]] == [FAN]


def test_a_temperature_above_what_power_and_fan_give_is_named(known: tuple[Detector, Room]) -> None:
    detector, room = known
    [begun] = room.watch(detector, 400, hotter)
    assert begun.sensor == CPU
    assert "above what is usual" in begun.sentence
    assert "rpm over half a minute usually give" in begun.sentence


def test_a_long_fault_stays_one_episode_for_hours(known: tuple[Detector, Room]) -> None:
    detector, room = known
    assert len([*room.watch(detector, 2000, hotter)]) == 1
    assert len(detector.active) == 1


def test_nothing_is_told_on_the_first_day_but_the_extreme() -> None:
    detector, room = Detector(per_week=1.0, seed=0), Room()
    assert [*room.watch(detector, 1500)] == []
    assert [*room.watch(detector, 200, lambda readings: readings.update({CPU: readings[CPU] + 8.0}))] == []
    assert detector.status()["State"].startswith("learning")


@pytest.mark.parametrize("watched", [[CPU], [*SENSORS]])
def test_a_step_of_25_degrees_out_of_nothing_is_told_on_the_first_day(watched: list[str]) -> None:
    """Three quiet hours, then a temperature jumps while power, load and fan stay as they are."""
    detector, room = Detector(per_week=1.0, seed=0), Room()
    room.sensors = {name: SENSORS[name] for name in watched}
    room.load, room.restless, jumped = 0.25, 0.0, 0.0

    def quiet(readings: dict[str, float]) -> None:
        readings[CPU] += jumped

    assert [*room.watch(detector, 10500 // BLOCK_S, quiet)] == []
    jumped = 25.0
    [begun] = room.watch(detector, 1500 // BLOCK_S, quiet)
    assert begun.sensor == CPU
    assert begun.began_s <= 10500 + 300
    assert re.match(r"CPU package (68|69|70)\.\d °C: 2[3-7]\.\d °C above what is usual; ", begun.sentence)


def test_a_suspend_and_what_is_cold_after_it_are_not_odd(known: tuple[Detector, Room]) -> None:
    detector, room = known
    room.second += 8 * 3600

    def cold(readings: dict[str, float]) -> None:
        readings[CPU] -= 12.0

    assert [*room.watch(detector, 100, cold)] == []
    assert [*room.watch(detector, 500)] == []


def test_missing_seconds_and_readings_are_not_odd(known: tuple[Detector, Room]) -> None:
    detector, room = known

    def gone(readings: dict[str, float]) -> None:
        for name in room.dice.choice([*SENSORS], 3):
            readings.pop(name, None)

    for _ in range(30):
        room.second += int(room.dice.integers(0, 50))
        assert [*room.watch(detector, 10, gone)] == []
    assert [*room.watch(detector, 30, dict.clear)] == []


def test_sensors_that_come_and_go_are_not_odd(known: tuple[Detector, Room]) -> None:
    detector, room = known
    more = Sensor("hwmon.nvme-pci-0200.temp1", Quantity.TEMPERATURE, "disk", heat=Heat.OTHER, driver="nvme")
    room.sensors = {**SENSORS, more.name: more}
    assert [*room.watch(detector, 300, lambda readings: readings.update({more.name: 45.0}))] == []
    room.sensors = {name: sensor for name, sensor in SENSORS.items() if name != AIR}
    assert [*room.watch(detector, 300, lambda readings: readings.pop(AIR) and None)] == []
    room.sensors = SENSORS
    assert [*room.watch(detector, 300)] == []


def test_what_is_known_of_a_sensor_is_kept_when_another_comes(known: tuple[Detector, Room]) -> None:
    detector, room = known
    more = Sensor("hwmon.nvme-pci-0200.temp1", Quantity.TEMPERATURE, "disk", heat=Heat.OTHER, driver="nvme")
    room.sensors = {**SENSORS, more.name: more}
    [*_] = room.watch(detector, 50)
    [begun] = room.watch(detector, 400, fan_stands)
    assert begun.sensor == FAN


def test_saved_and_taken_up_it_goes_on_bit_by_bit(known: tuple[Detector, Room]) -> None:
    detector, room = known
    [*_] = room.watch(detector, 60, hotter)
    other, twin = Detector(per_week=1.0, seed=77), Room()
    other.load(detector.state())
    twin.dice, twin.second, twin.load = room.dice, room.second, room.load
    state = room.dice.bit_generator.state
    ours = [*room.watch(detector, 300, hotter)]
    twin.dice.bit_generator.state = state
    assert [*twin.watch(other, 300, hotter)] == ours
    for name, value in detector.state().items():
        np.testing.assert_array_equal(other.state()[name], value)


@pytest.mark.parametrize("damage", ["declared", "now", "charts.now", "usual.hot.gram", "habit.past", "episodes.words"])
def test_a_damaged_state_is_refused_and_nothing_changes(known: tuple[Detector, Room], damage: str) -> None:
    detector, _ = known
    before = detector.state()
    for broken in (None, np.full(3, np.nan)):
        damaged = {name: value for name, value in before.items() if name != damage}
        if broken is not None:
            damaged[damage] = broken
        with pytest.raises(Unusable):
            detector.load(damaged)
    for name, value in detector.state().items():
        np.testing.assert_array_equal(before[name], value)


def test_the_order_in_which_sensors_are_declared_does_not_matter() -> None:
    one, other = Detector(per_week=1.0, seed=0), Detector(per_week=1.0, seed=0)
    here, there = Room(), Room()
    there.sensors = {name: SENSORS[name] for name in reversed(SENSORS)}
    [*_] = here.watch(one, 900)
    [*_] = there.watch(other, 900)
    assert one.status()["Score"] == pytest.approx(other.status()["Score"])


NUMBER = st.one_of(st.floats(-1e308, 1e308, allow_nan=False), st.sampled_from([0.0, 45.0, np.inf, -np.inf, np.nan]))


@settings(max_examples=6, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from([*SENSORS]), NUMBER), min_size=1, max_size=8), st.integers(0, 99))
def test_whatever_is_read_it_stays_sound_and_finite(pages: list[dict[str, float]], seed: int) -> None:
    detector, room = Detector(per_week=1.0, seed=0), Room(seed)
    detector._waits_s = 0.0

    def absurd(readings: dict[str, float]) -> None:
        if room.dice.uniform() < 0.5:
            readings.update(pages[int(room.dice.integers(len(pages)))])

    [*_] = room.watch(detector, 400, absurd)
    assert detector.sound()
    assert np.isfinite(detector.status()["Score"])
    assert np.isfinite(detector.status()["Threshold"])


def test_weights_that_are_not_finite_are_noticed_with_the_next_block(known: tuple[Detector, Room]) -> None:
    detector, room = known
    assert detector.sound()
    for name, relation in detector._usual._relations.items():
        relation._moments[:] = np.nan if name == "hot" else relation._moments
    [*_] = room.watch(detector, 2)
    assert not detector.sound()


def test_memory_does_not_grow(known: tuple[Detector, Room]) -> None:
    detector, room = known
    [*_] = room.watch(detector, 700)
    before = sum(value.nbytes for value in detector.state().values())
    [*_] = room.watch(detector, 1000)
    assert sum(value.nbytes for value in detector.state().values()) <= before + 64


@pytest.mark.full
def test_a_month_is_sound_and_quiet() -> None:
    detector, room = Detector(per_week=1.0, seed=0), Room()
    told = [one for one in room.watch(detector, 30 * 86400 // BLOCK_S) if one.ended_s is None]
    assert len(told) <= 4
    assert detector.sound()
    assert sum(value.nbytes for value in detector.state().values()) < 200_000
