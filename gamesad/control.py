"""What people want: the selected profile, holds, limits, overrides, pause. A plain object; the tick thread owns it."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from gamesad.config import Config
from gamesad.errors import Busy, NotAuthorized, OutOfRange, UnknownHold, UnknownProfile, UnknownSensor, UnknownTunable
from gamesad.state import Wishes
from gamesad.types import Controls, Hold, Intent, Profile, Quantity, Sensor, Value

K = TypeVar("K")
V = TypeVar("V")

PAUSE_MAX_S = 24 * 3600
REVERT_MAX_S = 24 * 3600
_TEXT_MAX = 256
_LIMIT_C = (20.0, 150.0)
_LIMIT_W = (0.5, 5000.0)


@dataclass(frozen=True, slots=True)
class Override:
    """A tunable set by hand. It goes back to ``previous`` (None: no override) at ``until_s`` unless confirmed."""

    value: Value
    until_s: float | None
    previous: Value | None


class Control:
    """Turns requests into an Intent. Every method that changes something checks first and raises GamesadError.

    Its tables are replaced, never mutated, so that other threads may read them at any time.
    """

    def __init__(self, config: Config, wishes: Wishes) -> None:
        self.holds: Mapping[int, Hold] = {}
        self.overrides: Mapping[str, Override] = {
            name: Override(value, None, None) for name, value in wishes.overrides.items()
        }
        self.temperature_limits_c = wishes.temperature_limits_c
        self.power_limits_w = wishes.power_limits_w
        self.paused_until_s: float | None = None
        self.reverted: tuple[str, ...] = ()
        """The overrides that the last ``intent`` ended because nobody confirmed them."""
        self._selected = wishes.selected
        self._selected_by = "selected before the last start"
        self._next_cookie = 1
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Takes a new configuration; a selected or held profile that is gone falls back to the default."""
        self._config = config
        self.profiles: Mapping[str, Profile] = config.profiles
        if self._selected not in self.profiles:
            self._selected = None
        self.holds = {cookie: hold for cookie, hold in self.holds.items() if hold.profile in self.profiles}

    @property
    def selected(self) -> str:
        """The user's last choice, or the default while there is none."""
        return self._selected or self._config.default_profile

    @property
    def wishes(self) -> Wishes:
        """What is kept over a restart."""
        confirmed = {name: override.value for name, override in self.overrides.items() if override.until_s is None}
        return Wishes(self._selected, self.temperature_limits_c, self.power_limits_w, confirmed)

    def intent(self, now_s: float, *, on_battery: bool | None) -> Intent:
        """What holds now. Overrides and a pause whose time is up end here."""
        self._expire(now_s)
        profile, chosen, cause = self._active(on_battery)
        return Intent(
            profile=self.profiles[profile],
            chosen=chosen,
            cause=cause,
            overrides={name: override.value for name, override in self.overrides.items()},
            temperature_limits_c=self.temperature_limits_c,
            power_limits_w=self.power_limits_w,
            paused=self.paused_until_s is not None,
            held=bool(self.holds),
        )

    def select(self, name: str, uid: int) -> None:
        self._known(name)
        self._selected, self._selected_by = name, f"selected by {_who(uid)}"

    def hold(self, profile: str, reason: str, application_id: str, *, owner: str, uid: int) -> Hold:
        """A hold that ends with ``owner``, a unique bus name. Busy when too many are open."""
        self._known(profile)
        bounds = self._config.bus
        if len(self.holds) >= bounds.max_holds:
            raise Busy(f"{bounds.max_holds} holds are open; release some first")
        if sum(hold.uid == uid for hold in self.holds.values()) >= bounds.max_holds_per_user:
            raise Busy(f"{_who(uid)} has {bounds.max_holds_per_user} holds open; release some first")
        hold = Hold(self._next_cookie, profile, _text(reason), _text(application_id), owner, uid)
        self._next_cookie = self._next_cookie % 0xFFFF_FFFF + 1
        self.holds = {**self.holds, hold.cookie: hold}
        return hold

    def release(self, cookie: int, uid: int) -> None:
        hold = self.holds.get(cookie)
        if hold is None:
            raise UnknownHold(f"there is no hold {cookie}; 'gamesactl status' lists the open ones")
        if uid not in (0, hold.uid):
            raise NotAuthorized(f"hold {cookie} belongs to {_who(hold.uid)}; only they or root may release it")
        self.holds = _without(self.holds, cookie)

    def release_owner(self, owner: str) -> None:
        """Ends every hold of a client that left the bus."""
        self.holds = {cookie: hold for cookie, hold in self.holds.items() if hold.owner != owner}

    def set_tunable(self, name: str, value: object, revert_after_s: int, controls: Controls, now_s: float) -> None:
        """Overrides one tunable until confirmed, for ``revert_after_s`` (0: kept at once)."""
        tunable = controls.tunables.get(name)
        if tunable is None:
            raise UnknownTunable(f"there is no tunable {_text(name)!r}; 'gamesactl tunables' lists them")
        if not isinstance(value, str | int) or isinstance(value, bool) or not tunable.allows(value):
            allowed = ", ".join(tunable.choices) or f"{tunable.minimum}..{tunable.maximum} {tunable.unit}".rstrip()
            raise OutOfRange(f"{name} takes {allowed}, not {_text(str(value))!r}")
        if not 0 <= revert_after_s <= REVERT_MAX_S:
            raise OutOfRange(f"a tunable goes back after 0..{REVERT_MAX_S} seconds, not {revert_after_s}")
        until_s = now_s + revert_after_s if revert_after_s else None
        self._override(name, Override(value, until_s, self._confirmed(name)))

    def confirm_tunable(self, name: str) -> None:
        override = self.overrides.get(name)
        if override is None:
            raise UnknownTunable(f"{_text(name)!r} was not set by hand, so there is nothing to confirm")
        self._override(name, replace(override, until_s=None, previous=None))

    def reset_tunable(self, name: str) -> None:
        if name not in self.overrides:
            raise UnknownTunable(f"{_text(name)!r} was not set by hand, so there is nothing to reset")
        self.overrides = _without(self.overrides, name)

    def set_limit(self, name: str, value: float, sensors: Mapping[str, Sensor]) -> None:
        """A user's own limit on a temperature in °C or on a power domain in W; only ever stricter than ours."""
        sensor = sensors.get(name)
        if sensor is None:
            close = fnmatch.filter(sensors, f"*{_text(name)}*")[:1]
            hint = f"did you mean {close[0]}?" if close else "'gamesactl sensors' lists them"
            raise UnknownSensor(f"there is no sensor {_text(name)!r}; {hint}")
        if sensor.quantity is Quantity.TEMPERATURE:
            (low, high), unit = _LIMIT_C, "°C"
        elif sensor.quantity is Quantity.POWER:
            (low, high), unit = _LIMIT_W, "W"
        else:
            raise OutOfRange(f"{name} is a {sensor.quantity}; limits are for temperatures and powers")
        if not (math.isfinite(value) and low <= value <= high):
            raise OutOfRange(f"a limit on {name} is {low:g}..{high:g} {unit}, not {value:g}")
        if sensor.quantity is Quantity.TEMPERATURE:
            self.temperature_limits_c = {**self.temperature_limits_c, name: value}
        else:
            self.power_limits_w = {**self.power_limits_w, name: value}

    def clear_limit(self, name: str) -> None:
        """Clears one limit, or every one with an empty name."""
        if name and name not in self.temperature_limits_c and name not in self.power_limits_w:
            raise UnknownSensor(f"{_text(name)!r} has no limit of yours; 'gamesactl limit' lists them")
        self.temperature_limits_c = _without(self.temperature_limits_c, name) if name else {}
        self.power_limits_w = _without(self.power_limits_w, name) if name else {}

    def pause(self, seconds: int, now_s: float) -> None:
        """Hands the machine back for a while; 0 means until resumed."""
        if not 0 <= seconds <= PAUSE_MAX_S:
            raise OutOfRange(f"a pause lasts 0 (until resumed) to {PAUSE_MAX_S} seconds, not {seconds}")
        self.paused_until_s = now_s + seconds if seconds else math.inf

    def resume(self) -> None:
        self.paused_until_s = None

    def next_change_s(self) -> float:
        """When an override or a pause ends by itself; infinity when none does."""
        ends = [override.until_s for override in self.overrides.values() if override.until_s is not None]
        return min([*ends, self.paused_until_s if self.paused_until_s is not None else math.inf])

    def _override(self, name: str, override: Override) -> None:
        self.overrides = {**self.overrides, name: override}

    def _confirmed(self, name: str) -> Value | None:
        """What an unconfirmed override of this tunable goes back to."""
        override = self.overrides.get(name)
        if override is None:
            return None
        return override.value if override.until_s is None else override.previous

    def _active(self, on_battery: bool | None) -> tuple[str, bool, str]:
        """Name of the profile in force, whether somebody chose it, and who."""
        if self.holds:
            hold = min(self.holds.values(), key=lambda hold: (self.profiles[hold.profile].rank, hold.cookie))
            by = hold.application_id or _who(hold.uid)
            return hold.profile, True, f"held by {by}" + (f": {hold.reason}" if hold.reason else "")
        if self._selected:
            return self._selected, True, self._selected_by
        if on_battery and self._config.on_battery_profile:
            return self._config.on_battery_profile, True, "on battery, as configured"
        if "profiles.default" in self._config.origins:
            return self._config.default_profile, True, "the configured default"
        return self._config.default_profile, False, "nobody chose one"

    def _expire(self, now_s: float) -> None:
        if self.paused_until_s is not None and now_s >= self.paused_until_s:
            self.paused_until_s = None
        over = [name for name, o in self.overrides.items() if o.until_s is not None and now_s >= o.until_s]
        self.reverted = tuple(over)
        for name in over:
            override = self.overrides[name]
            if override.previous is None:
                self.overrides = _without(self.overrides, name)
            else:
                self._override(name, Override(override.previous, None, None))

    def _known(self, profile: str) -> None:
        if profile not in self.profiles:
            names = ", ".join(self.profiles)
            raise UnknownProfile(f"there is no profile {_text(profile)!r}; there are {names}")


def _without(table: Mapping[K, V], key: K) -> dict[K, V]:
    return {kept: value for kept, value in table.items() if kept != key}


def _who(uid: int) -> str:
    return "root" if uid == 0 else f"uid {uid}"


def _text(text: str) -> str:
    """Text from outside, fit for a journal line and a table: one line, bounded, nothing that moves a cursor."""
    return "".join(char if char.isprintable() else " " for char in text[:_TEXT_MAX]).strip()
