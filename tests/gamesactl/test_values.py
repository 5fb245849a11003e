"""Numbers as people write and read them."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesactl.errors import Usage
from gamesactl.values import amount, clock, duration_s, percent, quantity, span


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("30s", 30), ("10m", 600), ("1h", 3600), ("1h30m", 5400), ("1d", 86400)]
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "1.5h", "h", "10x", "1h30", "٣s", "99999999999", "1e3"])
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(Usage, match=r"write 30s, 10m, 1h or 1h30m"):
        duration_s(text)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("3.6GHz", "kHz", 3_600_000),
        ("3600 MHz", "kHz", 3_600_000),
        ("3600000", "kHz", 3_600_000),
        ("3.6ghz", "kHz", 3_600_000),
        ("15W", "µW", 15_000_000),
        ("15W", "μW", 15_000_000),
        ("500mW", "µW", 500_000),
        ("85", "°C", 85),
        ("85C", "°C", 85),
        ("85 °C", "°C", 85),
        ("25W", "W", 25),
        ("1", "", 1),
    ],
)
def test_a_value_is_read_in_the_unit_it_is_needed_in(text: str, unit: str, value: float) -> None:
    assert quantity(text, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "unit"), [("15W", "kHz"), ("fast", "kHz"), ("nan", ""), ("inf", "W"), ("", "W"), ("3GHz", "")]
)
def test_a_value_of_another_kind_is_refused(text: str, unit: str) -> None:
    with pytest.raises(Usage):
        quantity(text, unit)


@given(st.text(max_size=12), st.sampled_from(["kHz", "µW", "°C", "W", ""]))
def test_any_text_is_a_finite_number_or_a_usage_error(text: str, unit: str) -> None:
    with contextlib.suppress(Usage):
        assert math.isfinite(quantity(text, unit))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3.6e6, "kHz", "3.6 GHz"),
        (3.9e9, "Hz", "3.9 GHz"),
        (800e6, "Hz", "800 MHz"),
        (0, "kHz", "0 Hz"),
        (15e6, "µW", "15 W"),
        (0.25, "W", "0.25 W"),
        (28.34, "W", "28.3 W"),
        (72.44, "°C", "72.4 °C"),
        (-12.0, "°C", "-12.0 °C"),
        (2304.4, "rpm", "2304 rpm"),
        (8 * 2**30, "B", "8 GiB"),
        (1.2345, "V", "1.234 V"),
        (279360, "J", "77.6 Wh"),
        (1.5, "", "1.5"),
        (math.nan, "W", "–"),
    ],
)
def test_amounts_have_the_size_people_say(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45.4, "45 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (270000, "3 d 3 h"),
        (-3, "0 s"),
    ],
)
def test_spans_of_time_read_naturally(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_the_date_stands_only_where_it_is_not_today(quiet_environment: None) -> None:
    noon = 1_700_000_000
    assert clock(noon, noon + 60) == "22:13:20"
    assert clock(noon, noon + 86400) == "2023-11-14 22:13:20"
    assert clock(1e30, noon) == "–"


def test_percent_of_nothing_known_is_a_dash() -> None:
    assert (percent(0.534), percent(math.nan)) == ("53 %", "–")
