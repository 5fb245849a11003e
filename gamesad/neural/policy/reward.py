"""What a second is worth, as the project's user set it; profiles weight the terms. A term that is unknown is absent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gamesad.neural.policy.inputs import Reading

ROOMY_C, CLOSE_C = 15.0, 5.0


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term counts: room above 15 °C, less than 5 °C, frames over the target, power under its limit."""

    roomy: float = 1.0
    close: float = 1.0
    frames: float = 1.0
    power: float = 1.0
    anomaly: float = 1.0


WEIGHTS: Mapping[str, Weights] = {
    "balanced": Weights(),
    # who asks for performance gets what the cooling allows: sitting near the limit is what the cooler is for
    "performance": Weights(roomy=0.0, close=0.0, frames=1.5, power=0.0),
    "power-saver": Weights(frames=0.5, power=3.0),
}
"""By the profile's ``power_profile``."""


def reward(reading: Reading, weights: Weights, *, target_fps: float = 60.0, anomaly: bool = False) -> float:
    """-1..1 for one second."""
    total = -0.3 * weights.anomaly if anomaly else 0.0
    headroom_c, frames, part = reading.headroom_c, reading.frame_rate, reading.power_part
    if headroom_c > ROOMY_C:
        total += 0.3 * weights.roomy
    elif headroom_c < CLOSE_C:
        total -= 0.2 * weights.close
    if frames > target_fps:
        total += 0.2 * weights.frames
    if part < 1.0:
        total += 0.1 * weights.power
    return max(-1.0, min(1.0, total)) if math.isfinite(total) else 0.0
