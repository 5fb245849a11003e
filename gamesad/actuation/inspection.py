"""Looking whether what we hold still stands, and telling our own doing from somebody else's."""

from __future__ import annotations

from dataclasses import dataclass, field

from gamesad.actuation.control import Control
from gamesad.actuation.entry import Entry
from gamesad.actuation.known import Known
from gamesad.actuation.steps import GONE, errno_name
from gamesad.types import Role, Value


@dataclass(slots=True)
class Findings:
    """``changed`` by somebody else; of these ``foreign`` are left alone. ``due``: the next apply has to look again."""

    changed: dict[str, Value] = field(default_factory=dict)
    foreign: dict[str, Value] = field(default_factory=dict)
    due: bool = False


def look(known: Known, now_s: float) -> Findings:
    """Reads what is in force by our doing, and judges what isn't as last read back."""
    findings = Findings()
    for control in known.controls.values():
        entry = known.entry(control.name)
        if control.gone or (entry is None and control.in_force is None):
            continue
        try:
            value = control.glance()
        except OSError as error:
            if errno_name(error) in GONE:
                control.lose(errno_name(error))
                findings.due = True
        except ValueError:
            continue
        else:
            if value != known.last_seen(control):
                _judge(known, control, value, now_s, findings)
    return findings


def _judge(known: Known, control: Control, value: Value, now_s: float, findings: Findings) -> None:
    entry = known.entry(control.name)
    if entry is not None and _is_our_doing(control, entry, value, now_s):
        known.settle(control, value)
        if entry.intended is not None and value != control.in_force:
            control.move()
            findings.due = True
    elif entry is not None and entry.intended is None:
        known.let_go(control)
    else:
        _name_other(known, control, value, now_s, findings)


def _is_our_doing(control: Control, entry: Entry, value: Value, now_s: float) -> bool:
    """A watched tunable that stands at its original is as we found it; a held one was put back by somebody."""
    if now_s < control.settles_s:
        return True
    writer = entry.writer(value)
    return writer == "gamesad" or (writer == "found" and entry.intended is None)


def _name_other(known: Known, control: Control, value: Value, now_s: float, findings: Findings) -> None:
    """Back at the original (a CPU that came back) it is written again; any other value is somebody's choice.

    A platform profile is followed in any case: a key on the keyboard sets it.
    """
    control.contest(now_s)
    findings.due = True
    findings.changed[control.name] = value
    entry = known.entry(control.name)
    if entry is not None and value == entry.original and control.tunable.role is not Role.PLATFORM_PROFILE:
        control.move()
        return
    known.let_go(control)
    control.yield_to_other(control.in_force)
    findings.foreign[control.name] = value
