"""Which tier a block belongs in: pure rules over a decayed count of its accesses.

An access adds one; the count halves in each half-life, so at a steady rate it settles at ``rate * half-life / ln 2``.
Between the two bounds nothing moves, a count falls from one to the other in more than three half-lives (with the bounds
as they come), and a block that moved stays for the dwell time: so nothing flaps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gamesad.crystal.layout import FROZEN, HOT
from gamesad.crystal.tiering.prefetch import Budget


@dataclass(frozen=True, slots=True)
class Rules:
    """Bounds of the decayed count, and seconds. ValueError where a block could be above and below at once."""

    promote_above: float = 100.0
    demote_below: float = 10.0
    half_life_s: float = 600.0
    dwell_s: float = 120.0

    def __post_init__(self) -> None:
        if not 0 <= self.demote_below < self.promote_above:
            raise ValueError(
                f"demote_below ({self.demote_below:g}) must be below promote_above ({self.promote_above:g})"
            )
        if self.half_life_s <= 0 or self.dwell_s < 0:
            raise ValueError("half_life_s must be above 0 and dwell_s not below")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the keeper goes by. ``prefetch`` None: nothing is thawed ahead."""

    rules: Rules = field(default_factory=Rules)
    prefetch: Budget | None = field(default_factory=Budget)
    hot_bytes: int = 16 << 20
    """What may be HOT by rule or by plan, and so locked in memory."""
    trial_s: float = 600.0
    """How long a plan is measured, and how far back that goes which it is compared with."""


def decayed(count: float, passed_s: float, half_life_s: float) -> float:
    """What is left of ``count`` after ``passed_s``; a clock that went back decays nothing."""
    return float(count * 0.5 ** (passed_s / half_life_s)) if passed_s > 0 else count


def next_tier(tier: int, count: float, dwelt_s: float, rules: Rules) -> int:
    """The tier that a block of ``tier`` moves to, one step at most; its own where it stays."""
    if dwelt_s < rules.dwell_s:
        return tier
    if count > rules.promote_above:
        return max(tier - 1, HOT)
    return min(tier + 1, FROZEN) if count < rules.demote_below else tier


class Heat:
    """The decayed access count of one block and since when it has been in its tier; times in s of any steady clock."""

    __slots__ = ("at_s", "count", "since_s")

    def __init__(self, count: float, now_s: float) -> None:
        self.count, self.at_s, self.since_s = count, now_s, now_s

    def touch(self, now_s: float, half_life_s: float) -> None:
        self.count = self.now(now_s, half_life_s) + 1.0
        self.at_s = max(now_s, self.at_s)

    def now(self, now_s: float, half_life_s: float) -> float:
        return decayed(self.count, now_s - self.at_s, half_life_s)
