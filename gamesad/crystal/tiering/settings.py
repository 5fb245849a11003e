"""What the keeper of the pool is told by the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field

from gamesad.crystal.tiering.prefetch import Budget
from gamesad.crystal.tiering.tiers import Rules


@dataclass(frozen=True, slots=True)
class Settings:
    """``prefetch`` None: nothing is thawed ahead."""

    rules: Rules = field(default_factory=Rules)
    prefetch: Budget | None = field(default_factory=Budget)
    hot_bytes: int = 16 << 20
    """What may be HOT by rule or by plan, and so locked in memory."""
    trial_s: float = 600.0
    """How long a plan is measured, and how far back that goes which it is compared with."""
