"""What is odd, in one sentence: which sensor, what it reads, in which unit, and what would have been usual."""

from __future__ import annotations

import math

import numpy as np

from gamesad.neural.anomaly.view import Kind, Moment, Target, View
from gamesad.types import Quantity

QUANTITY = {
    Kind.HOT: Quantity.TEMPERATURE,
    Kind.COOL: Quantity.TEMPERATURE,
    Kind.APART: Quantity.TEMPERATURE,
    Kind.FAN: Quantity.FAN,
    Kind.POWER: Quantity.POWER,
    Kind.FREQUENCY: Quantity.FREQUENCY,
}


def relation(target: Target, actual: float, expected: float, moment: Moment, view: View) -> str:
    """GPU hotspot 92.1 °C: 14.0 °C above what is usual; 210 W and fan 1800 rpm over half a minute usually give 78.1 °C.

    ``moment``: what the expectation goes by (Usual.basis), means of half a minute or of ten.
    """
    quantity = QUANTITY[target.kind]
    if quantity is not Quantity.TEMPERATURE:
        expected = max(expected, 0.0)
    usual, because = number(expected, quantity), _because(target, moment, view)
    if target.kind is Kind.FAN and actual < 1.0:
        return f"{target.label} stands still at {number(0.0, quantity)}; {because} {usual}"
    side = "above" if actual > expected else "under"
    off = number(abs(actual - expected), quantity)
    return f"{target.label} {number(actual, quantity)}: {off} {side} what is usual; {because} {usual}"


def forecast(label: str, temperature_c: float, times: float) -> str:
    """CPU package 71.0 °C: for a while now 4.2 times further from its forecasts than usual."""
    far = "further" if times >= 1.0 else "less far"
    factor = times if times >= 1.0 else 1.0 / times
    shown = number(temperature_c, Quantity.TEMPERATURE)
    return f"{label} {shown}: for a while now {factor:.1f} times {far} from its forecasts than usual"


def habit(label: str, actual: float, expected: float, quantity: Quantity) -> str:
    """power 82 W does not go with the rest of the machine's state, which usually comes with 20 W."""
    shown, usual = number(actual, quantity), number(expected, quantity)
    return f"{label} {shown} does not go with the rest of the machine's state, which usually comes with {usual}"


def number(value: float, quantity: Quantity) -> str:
    """With its unit, as people write it: 78.1 °C, 210 W, 1800 rpm, 3.4 GHz, 12 %."""
    match quantity:
        case Quantity.FREQUENCY:
            return f"{value / 1e9:.1f} GHz"
        case Quantity.UTILIZATION | Quantity.PRESSURE:
            return f"{100.0 * value:.0f} %"
        case Quantity.TEMPERATURE:
            return f"{value:.1f} {quantity.unit}"
        case Quantity.POWER if abs(value) < 10.0:
            return f"{value:.1f} {quantity.unit}"
    return f"{value:.0f} {quantity.unit}"


def _because(target: Target, moment: Moment, view: View) -> str:
    """Everything up to the usual value: "210 W and fan 1800 rpm usually give"."""
    part = target.part
    load = _or("this load", moment.load[part], Quantity.UTILIZATION, "a load of ")
    match target.kind:
        case Kind.HOT:
            heat = _or("this power", moment.power[part], Quantity.POWER) if view.has_meter[part] else load
            fan = _or("", moment.fan[part], Quantity.FAN, " and fan ")
            return f"{heat}{fan} over half a minute usually give{'' if fan else 's'}"
        case Kind.COOL:
            total = float(np.nansum(moment.power)) if any(view.has_meter) else math.nan
            return f"{_or('this load', total, Quantity.POWER)} in all over ten minutes usually gives"
        case Kind.APART:
            return "the sensors beside it usually come with"
        case Kind.FAN:
            return f"{_or('this heat', moment.hottest[part], Quantity.TEMPERATURE)} over half a minute usually gives"
        case Kind.POWER:
            return f"{load}{_or('', moment.frequency[part], Quantity.FREQUENCY, ' at ')} usually takes"
    return f"{load} usually gives"


def _or(unknown: str, value: float, quantity: Quantity, before: str = "") -> str:
    return unknown if math.isnan(value) else before + number(value, quantity)
