"""A sensible value for each argument that our methods take."""

from __future__ import annotations

from typing import Any

from dbus_next.signature import Variant

from gamesad.bus.members import Argument

SENSIBLE: dict[str, Any] = {"s": "balanced", "u": 1, "d": 70.0, "t": 5, "at": [5], "v": Variant("s", "powersave")}
_OF_FEW_WORDS = {"which": "all", "mode": "shadow"}


def sensible(part: Argument) -> Any:
    return _OF_FEW_WORDS.get(part.name) or SENSIBLE[part.signature]
