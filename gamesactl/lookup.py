"""The sensor or tunable that somebody named, or the nearest name to what they wrote."""

from __future__ import annotations

from collections.abc import Sequence

from gamesactl.errors import Failed
from gamesactl.render import Fields, text
from gamesactl.suggest import did_you_mean
from gamesad.bus import names


def sensor(sensors: Sequence[Fields], wanted: str, kind: str = "sensor") -> Fields:
    """By name, or by a label that only one has. ``kind`` is what they all are, for the error."""
    for one in sensors:
        if text(one, "Name") == wanted:
            return one
    labelled = [one for one in sensors if text(one, "Label").casefold() == wanted.casefold()]
    if len(labelled) == 1:
        return labelled[0]
    if labelled:
        raise Failed(
            f"several sensors are labelled {wanted!r}: {', '.join(text(one, 'Name') for one in labelled)}; use the name"
        )
    hint = did_you_mean(wanted, [word for one in sensors for word in (text(one, "Name"), text(one, "Label")) if word])
    raise Failed(f"no {kind} is called {wanted!r}{hint}; gamesactl sensors lists them", names.ERROR_UNKNOWN_SENSOR)


def tunable(tunables: Sequence[Fields], name: str) -> Fields:
    for one in tunables:
        if text(one, "Name") == name:
            return one
    hint = did_you_mean(name, [text(one, "Name") for one in tunables])
    raise Failed(f"unknown tunable {name!r}{hint}; gamesactl tunables lists them", names.ERROR_UNKNOWN_TUNABLE)
