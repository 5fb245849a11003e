"""One sensible value for each type that our methods take."""

from __future__ import annotations

from typing import Any

from dbus_next.signature import Variant

SENSIBLE: dict[str, Any] = {"s": "balanced", "u": 1, "d": 70.0, "t": 5, "at": [5], "v": Variant("s", "powersave")}
