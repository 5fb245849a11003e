"""Numbers as people write and read them: durations, units, times."""

from __future__ import annotations

import math
import time

from gamesactl.errors import Usage

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PREFIXES = {"": 1.0, "u": 1e-6, "µ": 1e-6, "m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}
_LONGEST_S = 0xFFFFFFFF  # Pause and SetTunable take an unsigned 32 bit number
UNKNOWN = "–"


def duration_s(text: str) -> int:
    """``90``, ``30s``, ``10m``, ``1h30m`` in seconds. Raises Usage."""
    wrong = Usage(f"{text!r} is not a duration; write 30s, 10m, 1h or 1h30m")
    total, digits = 0, ""
    for letter in text.strip():
        if letter.isascii() and letter.isdigit():
            digits += letter
        elif letter in _SECONDS and digits:
            total, digits = total + int(digits) * _SECONDS[letter], ""
        else:
            raise wrong
    if digits:
        if total:
            raise wrong
        total = int(digits)
    if not 0 < total <= _LONGEST_S:
        raise wrong
    return total


def quantity(text: str, unit: str) -> float:
    """A number in ``unit``: ``quantity("3.6GHz", "kHz")`` is 3600000. Without a unit it is in ``unit`` already."""
    stripped = text.strip().replace("μ", "µ")
    end = len(stripped)
    while end and not stripped[end - 1].isdigit() and stripped[end - 1] != ".":
        end -= 1
    number, given = stripped[:end].strip(), stripped[end:].strip()
    try:
        value = float(number)
    except ValueError:
        raise Usage(f"{text!r} is not a number{f' in {unit}' if unit else ''}") from None
    if not math.isfinite(value):
        raise Usage(f"{text!r} is not a number a machine can be set to")
    if not given:
        return value
    base, scale = _split(unit)
    given_base, given_scale = _split(given)
    if base.casefold() != given_base.casefold() or not base:
        raise Usage(f"{text!r}: expected a value in {unit or 'no unit'}, not {given}")
    return value * given_scale / scale


def _split(unit: str) -> tuple[str, float]:
    """``kHz`` → (``Hz``, 1000)."""
    unit = unit.replace("μ", "µ")
    if unit in ("C", "c", "°C", "°c"):
        return "°C", 1.0
    for base in ("Hz", "W", "fps"):
        if unit.casefold().endswith(base.casefold()):
            prefix = unit[: -len(base)]
            prefix = prefix if prefix in _PREFIXES else prefix.upper()
            if prefix in _PREFIXES:
                return base, _PREFIXES[prefix]
    return unit, 1.0


def amount(value: float, unit: str) -> str:
    """A value with its unit, in the size people say it: ``3.6 GHz``, ``15.2 W``, ``72.4 °C``."""
    if not math.isfinite(value):
        return UNKNOWN
    base, scale = _split(unit)
    if base == "Hz":
        return _scaled(value * scale, "Hz", (("G", 1e9, 2), ("M", 1e6, 0), ("k", 1e3, 0)))
    if base == "W":
        watts = value * scale
        return f"{_trim(watts, 1 if abs(watts) >= 1 else 2)} W"
    if unit == "B":
        return _scaled(value, "B", (("Gi", 2.0**30, 1), ("Mi", 2.0**20, 0), ("Ki", 2.0**10, 0)))
    if unit == "J":
        value, unit = value / 3600, "Wh"
    if unit == "°C":
        return f"{value:.1f} °C"  # 72.0 beside 72.4: the digit shows that it is known
    digits = {"V": 3, "Wh": 1, "rpm": 0}.get(unit, 2)
    return f"{_trim(value, digits)} {unit}".rstrip()


def _scaled(value: float, base: str, steps: tuple[tuple[str, float, int], ...]) -> str:
    for prefix, size, digits in steps:
        if abs(value) >= size:
            return f"{_trim(value / size, digits)} {prefix}{base}"
    return f"{_trim(value, 0)} {base}"


def _trim(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: float) -> str:
    return f"{value * 100:.0f} %" if math.isfinite(value) else UNKNOWN


def span(seconds: float) -> str:
    """How long: ``45 s``, ``3 min 20 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if not math.isfinite(seconds):
        return UNKNOWN
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    for size, name, part, part_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {name}" + (f" {rest} {part_name}" if rest else "")
    return f"{whole} s"


def clock(epoch_s: float, now_s: float | None = None) -> str:
    """Local time of day, with the date where it is not today's."""
    try:
        then = time.localtime(epoch_s)
    except (ValueError, OverflowError, OSError):
        return UNKNOWN
    today = time.localtime(now_s if now_s is not None else time.time())
    same = (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday)
    return time.strftime("%H:%M:%S" if same else "%Y-%m-%d %H:%M:%S", then)
