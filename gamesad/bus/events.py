"""What the service tells becomes signals; while the bus does not read, only the latest of each kind is kept."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from dbus_next.message import Message

from gamesad.bus import names
from gamesad.bus.link import Link
from gamesad.bus.members import SIGNALS, signature
from gamesad.bus.signatures import body
from gamesad.bus.standard import changed

_LOG = logging.getLogger(__name__)
_SIGNALS = {signal.name: signal.arguments for signal in SIGNALS}
PROPERTIES_CHANGED = "PropertiesChanged"
_OF_A_SENSOR = ("ThermalAlert", "AnomalyDetected")
"""Of these the latest of each sensor is kept."""


class Events:
    """Emits on one link."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._kept: dict[tuple[str, str], object] = {}
        link.on_drained = self._flush

    def emit(self, event: str, payload: object) -> None:
        """Sends now, or when the bus reads again. A payload that the bus cannot carry is logged, not raised."""
        if self._link.congested:
            self._keep(event, payload)
            return
        try:
            message = _message(event, payload)
        except (TypeError, ValueError, KeyError):
            _LOG.exception("%s cannot be sent", event)
            return
        self._link.send(message)

    def _keep(self, event: str, payload: object) -> None:
        about = ""
        if event in _OF_A_SENSOR and isinstance(payload, dict):
            about = str(payload.get("Sensor"))
        kept = self._kept.pop((event, about), None)  # taken out, so that the order is that of the latest
        if event == PROPERTIES_CHANGED and isinstance(kept, dict) and isinstance(payload, dict):
            payload = {**kept, **payload}
        self._kept[event, about] = payload

    def _flush(self) -> None:
        kept, self._kept = self._kept, {}
        for (event, _), payload in kept.items():
            self.emit(event, payload)


def _message(event: str, payload: object) -> Message:
    if event == PROPERTIES_CHANGED:
        if not isinstance(payload, Mapping):
            raise TypeError("PropertiesChanged takes the changed properties")
        values: list[Any] = [names.INTERFACE, changed(payload), []]
        return Message.new_signal(names.OBJECT_PATH, names.PROPERTIES, PROPERTIES_CHANGED, "sa{sv}as", values)
    parts = _SIGNALS[event]
    said = payload if isinstance(payload, tuple) else (payload,)
    values = [body(value, part.signature) for part, value in zip(parts, said, strict=True)]
    return Message.new_signal(names.OBJECT_PATH, names.INTERFACE, event, signature(parts), values)
