"""Heat flow between lumped bodies: dT/dt of each is (power in + conductances · temperature differences) / capacity.

The network is a tree of bodies whose root gives its heat to the ambient air, so one implicit Euler step is solved
exactly in one pass up and one pass down; it is stable for any step, and a step without end is the steady state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Body:
    """``parent`` is an index behind this one; -1 is the ambient air."""

    name: str
    capacity_j_k: float
    parent: int
    conductance_w_k: float


class ThermalNetwork:
    """``conductance_w_k`` may be changed between steps: a fan does."""

    def __init__(self, bodies: Sequence[Body], ambient_c: float) -> None:
        for index, body in enumerate(bodies):
            if body.parent != -1 and body.parent <= index:
                raise ValueError(f"{body.name} must stand before its parent")
        self.names = [body.name for body in bodies]
        self.ambient_c = ambient_c
        self.temperature_c = [ambient_c] * len(bodies)
        self.conductance_w_k = [body.conductance_w_k for body in bodies]
        self._parent = [body.parent for body in bodies]
        self._capacity_j_k = [body.capacity_j_k for body in bodies]

    def step(self, power_w: Sequence[float], dt_s: float) -> None:
        """One implicit Euler step with this power into each body."""
        conductance, parent, temperature = self.conductance_w_k, self._parent, self.temperature_c
        diagonal = [capacity / dt_s for capacity in self._capacity_j_k]
        right = [held * old + power for held, old, power in zip(diagonal, temperature, power_w, strict=True)]
        for index, above in enumerate(parent):
            toward = conductance[index]
            whole = diagonal[index] + toward
            diagonal[index] = whole
            part = toward / whole
            if above >= 0:
                diagonal[above] += toward - toward * part
                right[above] += part * right[index]
        for index in range(len(parent) - 1, -1, -1):
            above = parent[index]
            outside = self.ambient_c if above < 0 else temperature[above]
            temperature[index] = (right[index] + conductance[index] * outside) / diagonal[index]

    def settle(self, power_w: Sequence[float]) -> None:
        """Goes to the steady state at this power."""
        self.step(power_w, float("inf"))

    def stored_j(self) -> float:
        """Heat held above 0 °C."""
        return sum(c * t for c, t in zip(self._capacity_j_k, self.temperature_c, strict=True))

    def leaving_w(self) -> float:
        """Heat flowing to the ambient air now."""
        return sum(
            self.conductance_w_k[i] * (self.temperature_c[i] - self.ambient_c)
            for i, above in enumerate(self._parent)
            if above < 0
        )
