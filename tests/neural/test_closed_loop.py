"""What the forecast changes on the simulated machines: less over the limit, at no cost in work."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from gamesad.config import NeuralConfig
from gamesad.neural.learner import Learner
from tests.policy.test_closed_loop import TICK_S, Run, run
from tests.support.policy_machines import intent

HELD = [f"{kind}/{scenario}" for kind in ("laptop", "desktop", "small-form-factor", "fanless", "server")
        for scenario in ("bursty-game", "compile", "heat-wave", "clogged-fan")]  # fmt: skip


def both(machine: str, seconds: float, folder: Path) -> tuple[Run, Run]:
    """By the rules alone, and with what a fresh learner foretells."""
    learner = Learner(NeuralConfig(), clock=lambda: 0.0)
    return run(machine, seconds, intent(), folder), run(machine, seconds, intent(), folder, forecast=learner.forecast)


def over(seen: Run) -> float:
    """°C·s over the target."""
    return sum(max(0.0, over_c) for _, over_c in seen.over_c) * TICK_S


def test_a_machine_at_its_limit_is_less_over_it_with_the_forecast(tmp_path: Path) -> None:
    alone, helped = both("fanless/bursty-game", 400.0, tmp_path)
    assert over(alone) > 0.0
    assert over(helped) < over(alone)
    assert helped.work >= 0.99 * alone.work
    assert helped.failsafe == []


@pytest.mark.full
def test_over_all_machines_it_halves_what_is_over_and_costs_no_work(tmp_path: Path) -> None:
    """The table of docs/neural.md, one seed of it."""
    runs = [both(machine, 600.0, tmp_path) for machine in HELD]
    assert sum(over(helped) for _, helped in runs) <= 0.7 * sum(over(alone) for alone, _ in runs)
    works = [helped.work / alone.work for alone, helped in runs]
    assert math.fsum(works) / len(works) >= 0.995
    assert min(works) >= 0.985
    assert all(helped.failsafe == [] for _, helped in runs)
