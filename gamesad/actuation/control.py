"""What the executor knows of one tunable, and how tunables depend on each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from gamesad.hardware.base import Actuator
from gamesad.types import Refusal, Role, Tunable, Value

_BACK_OFF_S = (5.0, 30.0, 300.0)
_CONTEST_S = 60.0
_OTHER_END = {Role.FREQUENCY_MINIMUM: Role.FREQUENCY_MAXIMUM, Role.FREQUENCY_MAXIMUM: Role.FREQUENCY_MINIMUM}
_MOVED_BY: Mapping[Role, tuple[Role, ...]] = {
    Role.PLATFORM_PROFILE: (Role.EPP, Role.POWER_LIMIT, Role.POWER_LIMIT_SHORT),
    Role.GOVERNOR: (Role.EPP,),
    Role.BOOST: (Role.FREQUENCY_MINIMUM, Role.FREQUENCY_MAXIMUM),
}


class Control:
    """One tunable's state.

    ``wanted`` is what is in force by a wish of ours, ``read_back`` what the kernel made of it. ``foreign`` is
    somebody else's value that is left alone as long as the wish stays ``wish``. ``stale``: must be looked at again.
    ``gone``: not there at present; ``returned``: there again, whatever it holds. Until ``settle_s`` it may move by
    our own doing.
    """

    __slots__ = (
        "_changed_s",
        "actuator",
        "attempts",
        "foreign",
        "found",
        "gone",
        "group",
        "other",
        "read_back",
        "refusal",
        "retry_s",
        "returned",
        "settle_s",
        "stale",
        "tunable",
        "wanted",
        "wish",
    )

    def __init__(self, tunable: Tunable, actuator: Actuator) -> None:
        self.tunable = tunable
        self.actuator = actuator
        self.group = tunable.path.rpartition("/")[0]
        self.other: Control | None = None
        self.found: Value | None = None
        self.settle_s = -math.inf
        self.gone = self.returned = False
        self._changed_s: list[float] = []
        self.forget()

    def forget(self) -> None:
        """Nothing of ours is in force."""
        self.wanted: Value | None = None
        self.read_back: Value | None = None
        self.stale = False
        self.abandon()

    def abandon(self) -> None:
        """Nothing is wished for any more."""
        self.wish: Value | None = None
        self.foreign: Value | None = None
        self.accept()

    def accept(self) -> None:
        """The kernel took the value."""
        self.refusal: Refusal | None = None
        self.attempts = 0
        self.retry_s = math.inf

    def refuse(self, refusal: Refusal, now_s: float) -> None:
        """Tried again after 5 s, 30 s, then every 5 minutes; at once when another value is wished for.

        What is gone is tried again when it returns.
        """
        again = self.refusal is not None and self.refusal.value == refusal.value
        self.attempts = self.attempts + 1 if again else 1
        self.refusal = refusal
        self.retry_s = math.inf if self.gone else now_s + _BACK_OFF_S[min(self.attempts, len(_BACK_OFF_S)) - 1]

    def contest(self, now_s: float) -> None:
        """Somebody else changed it."""
        self._changed_s = [at_s for at_s in self._changed_s if now_s - at_s < _CONTEST_S]
        self._changed_s.append(now_s)

    def contested(self, now_s: float) -> int:
        return sum(now_s - at_s < _CONTEST_S for at_s in self._changed_s)

    def present(self) -> Value | None:
        """The value that stands there; None when it cannot be read."""
        try:
            return self.actuator.read(self.tunable)
        except (OSError, ValueError):
            return None

    def moves(self, other: Control) -> bool:
        """Whether writing this one may change the other by itself.

        A platform profile moves EPP and power limits, a governor its policy's EPP, turbo both ends of the frequencies.
        """
        if other.tunable.role not in _MOVED_BY.get(self.tunable.role, ()):
            return False
        return self.group == other.group or self.tunable.domain in {"cpu", "platform"}


def pair_up(controls: Mapping[str, Control]) -> None:
    """Tell each end of a frequency range which the other is."""
    ends = {(control.group, control.tunable.role): control for control in controls.values()}
    for control in controls.values():
        role = _OTHER_END.get(control.tunable.role)
        control.other = ends.get((control.group, role)) if role is not None else None


def within_each_other(
    wanted: Mapping[str, Value],
    controls: Mapping[str, Control],
    at_rest: Callable[[Control], Value | None],
) -> dict[str, Value]:
    """The wishes with every minimum brought down to its maximum: throttling wins over a minimum.

    Where a maximum is wished for below a minimum that nobody wished for, the minimum comes along, and goes back with
    it. ``at_rest`` is the value without a wish.
    """
    result = dict(wanted)
    for name, value in wanted.items():
        control = controls[name]
        other = control.other
        if other is None or not isinstance(value, int):
            continue
        end = result.get(other.tunable.name)
        if end is None:
            end = at_rest(other)
        if not isinstance(end, int):
            continue
        if control.tunable.role is Role.FREQUENCY_MAXIMUM and end > value:
            if other.tunable.allows(value):
                result[other.tunable.name] = value
        elif control.tunable.role is Role.FREQUENCY_MINIMUM and value > end and control.tunable.allows(end):
            result[name] = end
    return result
