"""What a probe has to say, one finding for each thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    GOOD = "good"
    NOTE = "note"
    """Worth knowing; nothing is wrong."""
    MISSING = "missing"
    """gamesad does its job without it, and could do more with it."""
    FAULT = "fault"
    """Something essential is missing: without it the machine is not regulated."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``text`` is a sentence without its full stop; ``remedy`` is what to do about it, empty where there is nothing."""

    part: str
    level: Level
    text: str
    remedy: str = ""


def listed(names: list[str], most: int = 4) -> str:
    """``a, b, c, d and 12 more``."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def count(number: int, what: str, several: str = "") -> str:
    """``1 sensor``, ``2 sensors``, ``3 policies``."""
    return f"{number} {what if number == 1 else several or what + 's'}"
