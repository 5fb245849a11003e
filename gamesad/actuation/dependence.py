"""How tunables depend on each other: what moves what, and the two ends of a frequency range."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gamesad.actuation.control import Control
from gamesad.types import Role, Value

_OTHER_END = {Role.FREQUENCY_MINIMUM: Role.FREQUENCY_MAXIMUM, Role.FREQUENCY_MAXIMUM: Role.FREQUENCY_MINIMUM}
_MOVED_BY: Mapping[Role, tuple[Role, ...]] = {
    Role.PLATFORM_PROFILE: (Role.EPP, Role.POWER_LIMIT, Role.POWER_LIMIT_SHORT),
    Role.GOVERNOR: (Role.EPP,),
    Role.BOOST: (Role.FREQUENCY_MINIMUM, Role.FREQUENCY_MAXIMUM),
}


def moves(mover: Control, control: Control) -> bool:
    """Whether writing the one may change the other by itself.

    A platform profile moves EPP and power limits, a governor its policy's EPP, turbo both ends of the frequencies.
    """
    if control.tunable.role not in _MOVED_BY.get(mover.tunable.role, ()):
        return False
    return mover.group == control.group or mover.tunable.domain in {"cpu", "platform"}


def pair_up(controls: Mapping[str, Control]) -> None:
    """Tell each end of a frequency range which the other is."""
    ends = {(control.group, control.tunable.role): control for control in controls.values()}
    for control in controls.values():
        role = _OTHER_END.get(control.tunable.role)
        control.other_end = ends.get((control.group, role)) if role is not None else None


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
        other = control.other_end
        if other is None or not isinstance(value, int):
            continue
        end = result.get(other.name)
        if end is None:
            end = at_rest(other)
        if not isinstance(end, int):
            continue
        if control.tunable.role is Role.FREQUENCY_MAXIMUM and end > value:
            if other.tunable.allows(value):
                result[other.name] = value
        elif control.tunable.role is Role.FREQUENCY_MINIMUM and value > end and control.tunable.allows(end):
            result[name] = end
    return result
