"""The formats of recordings. Each says by the beginning of a file whether it is one of its own, and reads it whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gamesad.errors import Failed
from gamesad.evaluation import series, text
from gamesad.evaluation.formats import afterburner, hwinfo, lm_sensors, mangohud, own, plain, turbostat
from gamesad.evaluation.series import Series, Table
from gamesad.evaluation.text import Source


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    recognises: Callable[[str], bool]
    parse: Callable[[Source], Table]


FORMATS = (
    Format("gamesad recording", own.is_recording, own.recording),
    Format("gamesad flight recording", own.is_flight, own.flight),
    Format("gamesad export", own.is_export, own.export),
    Format("MangoHud log", mangohud.recognises, mangohud.parse),
    Format("HWiNFO log", hwinfo.recognises, hwinfo.parse),
    Format("MSI Afterburner log", afterburner.recognises, afterburner.parse),
    Format("turbostat output", turbostat.recognises, turbostat.parse),
    Format("sensors output", lm_sensors.recognises, lm_sensors.parse),
    Format("CSV", plain.recognises, plain.parse),
)
"""Asked in this order; the last takes whatever has cells."""


def load(path: str) -> Series:
    """Raises Failed with one sentence: file, line, what is wrong, what to do."""
    source = text.read(path)
    head = source.head
    form = next((form for form in FORMATS if form.recognises(head)), None)
    if form is None:
        names = ", ".join(form.name for form in FORMATS)
        raise Failed(f"{path} is none of these: {names}; gamesactl record makes the first of them")
    return series.build(path, form.name, form.parse(source), source.tally)
