"""Heat goes where physics says: against closed forms, and nothing is lost."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.simulation.thermal_network import Body, ThermalNetwork

CHAIN = (Body("die", 2.0, 1, 4.0), Body("sink", 100.0, 2, 2.0), Body("air", 300.0, -1, 5.0))


def test_the_steady_state_is_ambient_plus_power_times_resistance() -> None:
    network = ThermalNetwork(CHAIN, 20.0)
    network.settle([40.0, 0.0, 0.0])
    air_c = 20.0 + 40.0 / 5.0
    sink_c = air_c + 40.0 / 2.0
    assert network.temperature_c == pytest.approx([sink_c + 40.0 / 4.0, sink_c, air_c])


def test_two_branches_share_the_air_they_warm() -> None:
    bodies = (Body("cpu", 5.0, 2, 2.0), Body("gpu", 5.0, 2, 4.0), Body("air", 50.0, -1, 10.0))
    network = ThermalNetwork(bodies, 25.0)
    network.settle([60.0, 140.0, 0.0])
    assert network.temperature_c == pytest.approx([25.0 + 20.0 + 30.0, 25.0 + 20.0 + 35.0, 45.0])


def test_one_body_warms_along_the_exponential() -> None:
    network = ThermalNetwork((Body("lump", 50.0, -1, 2.0),), 20.0)
    for _ in range(2500):
        network.step([100.0], 0.01)
    assert network.temperature_c[0] == pytest.approx(20.0 + 50.0 * (1.0 - math.exp(-1.0)), abs=0.02)


@given(power_w=st.lists(st.floats(0.0, 400.0), min_size=3, max_size=3), dt_s=st.floats(0.001, 1e6))
def test_what_goes_in_is_stored_or_leaves(power_w: list[float], dt_s: float) -> None:
    """An implicit step balances exactly with the heat that leaves at its end, however long it is."""
    network = ThermalNetwork(CHAIN, 20.0)
    network.settle([10.0, 0.0, 0.0])
    before_j = network.stored_j()
    network.step(power_w, dt_s)
    in_j = sum(power_w) * dt_s
    assert network.stored_j() - before_j == pytest.approx(in_j - network.leaving_w() * dt_s, rel=1e-6, abs=1e-3)
    assert min(network.temperature_c) >= 20.0 - 1e-6


def test_a_child_must_stand_before_its_parent() -> None:
    with pytest.raises(ValueError, match="sink must stand before its parent"):
        ThermalNetwork((Body("die", 1.0, 1, 1.0), Body("sink", 1.0, 0, 1.0)), 20.0)
