"""Every sentence names sensor, number and unit, and what would have been usual."""

from __future__ import annotations

import numpy as np

from gamesad.neural.anomaly import sentences
from gamesad.neural.anomaly.view import Kind, Moment, Target, View
from gamesad.types import Heat, Quantity, Sensor

NAN = float("nan")


def machine(*, meter: bool = True) -> View:
    made = [
        Sensor("hwmon.amdgpu-pci-0300.temp2", Quantity.TEMPERATURE, "GPU hotspot", heat=Heat.GPU, driver="amdgpu"),
        Sensor("hwmon.acpitz-virtual-0.temp1", Quantity.TEMPERATURE, "acpitz", heat=Heat.OTHER, driver="acpitz"),
        Sensor("hwmon.amdgpu-pci-0300.fan1", Quantity.FAN, "GPU fan", driver="amdgpu"),
        Sensor("hwmon.amdgpu-pci-0300.freq1", Quantity.FREQUENCY, "GPU clock", driver="amdgpu"),
    ]
    if meter:
        made.append(Sensor("hwmon.amdgpu-pci-0300.power1", Quantity.POWER, "GPU power", driver="amdgpu"))
    return View({sensor.name: sensor for sensor in made})


def now(*, power: float = 210.0, load: float = 0.9, fan: float = 1800.0, hottest: float = 92.0) -> Moment:
    part = np.array
    return Moment(
        np.zeros(5), part([power, NAN]), part([load, NAN]), part([fan, NAN]), part([hottest, 28.0]),
        part([60.0, NAN]), part([2.1e9, NAN]), 0.4, 0.0,
    )  # fmt: skip


def said(kind: Kind, label: str, actual: float, expected: float, moment: Moment, view: View | None = None) -> str:
    part = 1 if kind is Kind.COOL else 0
    return sentences.relation(Target(kind, "x", label, part), actual, expected, moment, view or machine())


def test_a_temperature_is_held_against_power_and_fan() -> None:
    assert said(Kind.HOT, "GPU hotspot", 92.0, 78.0, now()) == (
        "GPU hotspot 92.0 °C: 14.0 °C above what is usual; "
        "210 W and fan 1800 rpm over half a minute usually give 78.0 °C"
    )


def test_without_a_fan_or_a_meter_it_is_held_against_what_is_known() -> None:
    unblown, unmetered = now(fan=NAN), now(power=90.0, fan=NAN)
    assert said(Kind.HOT, "GPU hotspot", 60.0, 78.0, unblown).endswith("210 W over half a minute usually gives 78.0 °C")
    text = said(Kind.HOT, "GPU hotspot", 60.0, 78.0, unmetered, machine(meter=False))
    assert text.startswith("GPU hotspot 60.0 °C: 18.0 °C under what is usual; ")
    assert text.endswith("; a load of 90 % over half a minute usually gives 78.0 °C")


def test_a_sensor_that_is_alone_with_what_it_reads_is_held_against_those_beside_it() -> None:
    assert said(Kind.APART, "GPU hotspot", 87.0, 61.0, now()) == (
        "GPU hotspot 87.0 °C: 26.0 °C above what is usual; the sensors beside it usually come with 61.0 °C"
    )


def test_the_air_is_held_against_all_power() -> None:
    assert said(Kind.COOL, "acpitz", 41.0, 30.0, now()) == (
        "acpitz 41.0 °C: 11.0 °C above what is usual; 210 W in all over ten minutes usually gives 30.0 °C"
    )


def test_a_fan_that_stands_is_said_to_stand() -> None:
    assert said(Kind.FAN, "GPU fan", 0.0, 2100.0, now()) == (
        "GPU fan stands still at 0 rpm; 92.0 °C over half a minute usually gives 2100 rpm"
    )


def test_power_without_load_and_a_frequency_far_under_its_usual_one_are_named() -> None:
    assert said(Kind.POWER, "GPU power", 150.0, 20.0, now(load=0.02)) == (
        "GPU power 150 W: 130 W above what is usual; a load of 2 % at 2.1 GHz usually takes 20 W"
    )
    assert said(Kind.FREQUENCY, "GPU clock", 0.4e9, 2.2e9, now()) == (
        "GPU clock 0.4 GHz: 1.8 GHz under what is usual; a load of 90 % usually gives 2.2 GHz"
    )


def test_what_is_expected_is_never_less_than_nothing() -> None:
    assert "usually takes 0.0 W" in said(Kind.POWER, "GPU power", 9.0, -3.0, now(load=0.02))


def test_what_is_unknown_is_not_given_a_number() -> None:
    for kind in Kind:
        text = said(kind, "x", 50.0, 90.0, now(power=NAN, load=NAN, fan=NAN, hottest=NAN))
        assert "nan" not in text


def test_forecasts_and_habits_have_numbers_and_units() -> None:
    assert sentences.forecast("CPU package", 71.0, 4.2) == (
        "CPU package 71.0 °C: for a while now 4.2 times further from its forecasts than usual"
    )
    assert "4.0 times less far" in sentences.forecast("CPU package", 71.0, 0.25)
    assert sentences.habit("power", 82.0, 20.0, Quantity.POWER) == (
        "power 82 W does not go with the rest of the machine's state, which usually comes with 20 W"
    )
    assert "memory 93 % does" in sentences.habit("memory", 0.93, 0.4, Quantity.UTILIZATION)
