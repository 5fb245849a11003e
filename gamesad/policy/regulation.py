"""What one decision leaves for the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gamesad.config import ControlConfig
from gamesad.policy.regulator import FULL, Level, Trend
from gamesad.types import Controls, Heat, Intent, Value


@dataclass(frozen=True, slots=True)
class Known:
    """What follows from the controls alone, worked out when they change."""

    controls: Controls = field(default_factory=lambda: Controls({}, {}))
    heats: frozenset[Heat] = frozenset()
    meters: tuple[tuple[str, Heat], ...] = ()
    """The sensor that measures each sustained power limit's domain, and what that heats."""


@dataclass(frozen=True, slots=True)
class Regulation:
    """The state between two decisions; ``Regulation()`` is the start, ``tuning`` the configured behaviour."""

    tuning: ControlConfig = field(default_factory=ControlConfig)
    at_s: float | None = None
    known: Known = field(default_factory=Known)
    trends: Mapping[str, Trend] = field(default_factory=dict)
    levels: Mapping[Heat, Level] = field(default_factory=dict)
    power_level: Level = FULL
    powers_w: Mapping[str, float] = field(default_factory=dict)
    """Filtered power of each domain that the user limits."""
    peaks_w: Mapping[str, float] = field(default_factory=dict)
    """What each power limit's domain drew lately; kept while its domain is held back."""
    intent: Intent | None = None
    base: Mapping[str, Value] = field(default_factory=dict)
    """What the intent alone asks for."""
    settings: Mapping[str, Value] = field(default_factory=dict)
    saving: bool = False
    """Less power at least loss of work, because the learnt policy advised it."""
