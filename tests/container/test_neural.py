"""The Neural Optimizer in the confined service: numpy loads there, it learns, and what it learnt is kept."""

from __future__ import annotations

import json
from typing import Any

from tests.container.computer import Computer
from tests.container.machine import eventually

_BUS = ("org.gamesa.Gamesad1", "/org/gamesa/Gamesad1", "org.gamesa.Gamesad1")
MODELS = "/var/lib/gamesad/neural/models.npz"


def test_it_learns_within_the_units_sandbox_and_saves_what_it_learnt(running: Computer) -> None:
    """MemoryDenyWriteExecute and SystemCallFilter as shipped: numpy and its OpenBLAS need neither."""
    shipped = running.unit("MemoryDenyWriteExecute", "ProtectSystem")
    assert shipped == ("yes", "strict")
    eventually(lambda: '"neural" "on"' in running.tell("busctl", "get-property", *_BUS, "Components"), "numpy")
    eventually(lambda: _samples(running) > 0, "a forecast that was compared with what came")
    running.tell("systemctl", "stop", "gamesad")
    assert running.tell("stat", "--format=%U %a", MODELS).split() == ["root", "600"]


def _samples(machine: Computer) -> int:
    """Forecasts of the best known temperature that were compared so far."""
    told = json.loads(machine.tell("busctl", "--json=short", "call", *_BUS, "NeuralStatus"))
    status: dict[str, Any] = told["data"][0]
    assert status["State"]["data"] == "learning"
    sensors = status["Forecast"]["data"].get("Sensors", {"data": []})["data"]
    return max((one["Samples"]["data"] for one in sensors), default=0)
