"""Every tunable seen since the start, with its entry in the baseline: whose a value is, and what was found."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from gamesad.actuation.baseline import Baseline, Unrecorded
from gamesad.actuation.control import Control, Presence
from gamesad.actuation.dependence import moves, pair_up
from gamesad.actuation.entry import Entry, permitted
from gamesad.actuation.steps import Step, errno_name
from gamesad.hardware.base import Actuator
from gamesad.types import Controls, Value


class Known:
    """The controls by name. A tunable that left stays known: what it held may have to go back when it returns.

    One is *held* while its baseline entry has an intended value, and *watched* while it has an entry without one,
    because something held moves it.
    """

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self.controls: dict[str, Control] = {}

    def take_up(self, actuators: Sequence[Actuator]) -> None:
        """What is there now. A declaration stays while there is an entry: a probe that sees our values misjudges."""
        there = {
            tunable.name: (actuator, tunable)
            for actuator in actuators
            for tunable in actuator.tunables()
            if permitted(tunable.path)
        }
        for name, gone in self.controls.items():
            if name not in there and not gone.asleep:
                gone.presence = Presence.GONE
        for name, (actuator, tunable) in there.items():
            control = self.controls.get(name)
            if control is None:
                control = self.controls[name] = Control(tunable, actuator)
            control.actuator = actuator
            if name not in self.baseline.entries:
                control.tunable = tunable
            if control.gone:
                control.presence, control.refused = Presence.RETURNED, None
        pair_up(self.controls)

    def declare(self) -> Controls:
        """What can be set now, and what was found; a tunable that cannot be read isn't offered."""
        tunables, found = {}, {}
        for name, control in self.controls.items():
            if (entry := self.entry(name)) is not None:
                control.found = entry.original
            elif control.found is None and not control.gone:
                control.found = control.present()
            if control.found is not None and control.presence is not Presence.GONE:
                tunables[name], found[name] = control.tunable, control.found
        return Controls(tunables, found)

    def entry(self, name: str) -> Entry | None:
        return self.baseline.entries.get(name)

    def held(self, name: str) -> Entry | None:
        entry = self.entry(name)
        return entry if entry is not None and entry.intended is not None else None

    def at_rest(self, control: Control) -> Value | None:
        """The value without a wish of ours; None when it cannot be read."""
        entry = self.entry(control.name)
        return entry.original if entry is not None else control.present()

    def last_seen(self, control: Control) -> Value | None:
        """What was last read back of a value in force or watched. Without an entry, the wish was there unwritten."""
        entry = self.entry(control.name)
        return control.in_force if entry is None else entry.read_back

    def settle(self, control: Control, value: Value) -> None:
        """The value is there by our doing."""
        if self.entry(control.name) is not None:
            self.baseline.settle(control.name, value)

    def let_go(self, control: Control) -> None:
        """The value is somebody else's from now on, and so is what it alone moves."""
        self.baseline.put(control.name, None)
        ours = [other for name, other in self.controls.items() if self.held(name) is not None]
        for name, other in self.controls.items():
            watched = self.entry(name) is not None and self.held(name) is None
            if watched and moves(control, other) and not any(moves(mover, other) for mover in ours):
                self.baseline.put(name, None)

    def save(self) -> None:
        """After the fact: what could not be recorded now is recorded at the next change."""
        try:
            self.baseline.save()
        except Unrecorded as unrecorded:
            problem = f"the baseline cannot be written: {errno_name(unrecorded.error)}"
            if problem not in self.baseline.problems:
                self.baseline.problems += (problem,)

    def hear_disk(self) -> bool:
        """Whether the disk has answered and something waited for it, which is tried again."""
        ready = [self.controls[name] for name in self.baseline.recorded if self.controls[name].waits]
        for control in ready:
            control.refused = None
        return bool(ready)

    def read(self, step: Step) -> Value:
        return self._there(step.name).read()

    def write(self, step: Step, value: Value) -> None:
        control = self._there(step.name)
        control.actuator.write(control.tunable, value)

    def sibling(self, step: Step) -> Value | None:
        """The present other end of a frequency range."""
        control = self.controls.get(step.name)
        return None if control is None or control.other_end is None else control.other_end.present()

    def _there(self, name: str) -> Control:
        if name not in self.controls:
            raise OSError(errno.ENODEV, "not there now", name)
        return self.controls[name]
