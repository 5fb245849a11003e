"""Brings settings into force: differences only, in a safe order, recorded first, read back, and put back at the end."""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.control import Control, pair_up, within_each_other
from gamesad.actuation.entry import Entry, permitted
from gamesad.actuation.restore import Restored, put_back
from gamesad.actuation.steps import GONE, Step, carry_out, errno_name, forward
from gamesad.hardware.base import Actuator
from gamesad.types import Applied, Controls, Refusal, Role, Value

_SETTLE_S = 3.0
"""How long firmware may take to move EPP and power limits after a new platform profile."""


@dataclass(slots=True)
class _Plan:
    """What one apply is going to do, and what it has to tell."""

    now_s: float
    force: bool
    foreign: dict[str, Value]
    steps: dict[str, Step] = field(default_factory=dict)
    watched: dict[str, Value] = field(default_factory=dict)
    shaken: set[str] = field(default_factory=set)
    """What a step may move by itself; ``moved`` without what only steps that go back move."""
    moved: set[str] = field(default_factory=set)
    settings: dict[str, Value] = field(default_factory=dict)
    rejected: dict[str, Refusal] = field(default_factory=dict)


class Executor:
    """The only writer of tunables. Not thread-safe: it belongs to the tick.

    A tunable is *held* while its baseline entry has an intended value, and *watched* while something held moves it.
    ``observe``: nothing is written, not even the baseline; call ``restore`` before switching it on.
    """

    def __init__(
        self,
        actuators: Sequence[Actuator],
        baseline: Baseline,
        *,
        observe: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.observe = observe
        self.controls = Controls({}, {})
        self._baseline = baseline
        self._clock = clock
        self._known: dict[str, Control] = {}
        self._settings: Mapping[str, Value] | None = None
        self._stale = False
        self._retry_s = math.inf
        self._declined: dict[str, Value] = {}
        self._foreign: dict[str, Value] = {}
        self._nothing = Applied({})
        self.rescan(actuators)

    @property
    def refused(self) -> Mapping[str, Refusal]:
        """The wishes that the kernel refuses at present."""
        return {name: control.refusal for name, control in self._known.items() if control.refusal is not None}

    @property
    def contested(self) -> Mapping[str, int]:
        """How often somebody else changed what we hold, in the last 60 s; only tunables that were."""
        now_s = self._clock()
        counts = {name: control.contested(now_s) for name, control in self._known.items()}
        return {name: count for name, count in counts.items() if count}

    def rescan(self, actuators: Sequence[Actuator]) -> None:
        """Take up what is there now. What is held keeps its declaration: a probe that sees our values misjudges them.

        A tunable that left and returns is written again at the next ``apply``; its original stays what it was.
        """
        there = {tunable.name: (actuator, tunable) for actuator in actuators for tunable in actuator.tunables()}
        for name, control in self._known.items():
            control.gone = control.gone or name not in there
        for name, (actuator, tunable) in there.items():
            known = self._known.get(name)
            if known is None:
                if permitted(tunable.path):
                    self._known[name] = Control(tunable, actuator)
                continue
            known.actuator = actuator
            if name not in self._baseline.entries:
                known.tunable = tunable
            if known.gone:
                self._welcome(known)
        pair_up(self._known)
        self._declare()

    def value(self, name: str) -> Value | None:
        """The present value; None when there is no such tunable or it cannot be read."""
        control = self._known.get(name)
        return None if control is None else control.present()

    def writer(self, name: str) -> str:
        """Whose value stands there, as last seen: ``found``, ``gamesad`` or ``other``."""
        control = self._known.get(name)
        if control is not None and control.foreign is not None:
            return "other"
        return "gamesad" if self._held(name) is not None else "found"

    def apply(self, settings: Mapping[str, Value], *, force: bool = False) -> Applied:
        """Bring ``settings`` into force, and everything else of ours back to what was found.

        ``force`` is for safety: what somebody else set to more power than ``settings`` ask is taken back.
        """
        if self.observe:
            return self._nothing
        now_s = self._clock()
        if not self._stale and now_s < self._retry_s and settings == self._settings and not (force and self._yields()):
            return self._nothing
        plan = _Plan(now_s, force, self._foreign)
        self._foreign = {}
        self._stale = False
        wanted = within_each_other(self._possible(settings, plan), self._known, self._at_rest)
        for name, control in self._known.items():
            self._plan_one(control, wanted.get(name), plan)
        self._plan_moved(wanted, plan)
        if plan.steps:
            self._act(plan)
        self._settings = dict(settings)
        self._retry_s = min((control.retry_s for control in self._known.values()), default=math.inf)
        return Applied(plan.settings, plan.rejected, plan.foreign)

    def inspect(self) -> Mapping[str, Value]:
        """Reads back what is in force by our doing, and answers what somebody else changed.

        A value put back to the original (a CPU that came back) is written again at the next ``apply``; any other is
        somebody else's, left alone and named in that ``apply``. A platform profile is followed in any case.
        """
        now_s = self._clock()
        changed: dict[str, Value] = {}
        for name, control in self._known.items():
            entry = self._baseline.entries.get(name)
            if control.gone or (control.wanted is None and entry is None):
                continue
            try:
                value = control.actuator.read(control.tunable)
            except OSError as error:
                if errno_name(error) in GONE:
                    control.gone = self._stale = True
                continue
            except ValueError:
                continue
            if value != control.read_back and self._moved(control, entry, value, now_s):
                changed[name] = value
        if not self.observe:
            self._save()
        return changed

    def restore(self) -> Restored:
        """Put everything back, in reverse; what somebody else changed is left and named. Idempotent."""
        entries = list(self._baseline.entries.values())
        if self.observe:
            return Restored((), {entry.name: "observe mode writes nothing" for entry in entries})
        result, keep = put_back(entries, self._read, self._write, self._sibling)
        for entry in entries:
            if entry.name not in keep:
                self._baseline.put(entry.name, None)
        self._save()
        for control in self._known.values():
            control.forget()
            if control.tunable.name not in keep:
                control.found = None
        self._settings = None
        self._foreign = {}
        self._declined = {}
        self._retry_s = math.inf
        self._declare()
        return result

    def _yields(self) -> bool:
        return any(control.foreign is not None for control in self._known.values())

    def _possible(self, settings: Mapping[str, Value], plan: _Plan) -> dict[str, Value]:
        """The settings that this machine can take; each of the others is named once."""
        wanted: dict[str, Value] = {}
        declined: dict[str, Value] = {}
        for name, value in settings.items():
            control = self._known.get(name)
            if control is not None and control.tunable.allows(value):
                wanted[name] = value
                continue
            declined[name] = value
            if self._declined.get(name) != value:
                cause, why = ("ENOENT", "no such tunable") if control is None else ("EINVAL", "outside its range")
                plan.rejected[name] = Refusal(cause, value, f"{name} was not set to {value}: {why}")
        self._declined = declined
        return wanted

    def _plan_one(self, control: Control, wish: Value | None, plan: _Plan) -> None:
        held = self._held(control.tunable.name)
        if wish is None:
            if control.refusal is None or held is None or control.refusal.value != held.original:
                control.abandon()
            if held is None:
                control.wanted = None
            elif not control.gone and plan.now_s >= (control.retry_s if control.refusal else 0.0):
                self._look(control, held.original, plan, back=True)
        elif control.gone:
            if control.refusal is None or control.refusal.value != wish:
                self._refuse(control, wish, "ENODEV", "it is gone for now", plan)
        elif self._is_due(control, wish, plan):
            self._look(control, wish, plan)

    def _is_due(self, control: Control, wish: Value, plan: _Plan) -> bool:
        if control.foreign is not None and control.wish == wish:
            return plan.force
        if control.refusal is not None and control.refusal.value == wish:
            return plan.now_s >= control.retry_s
        return control.stale or control.wanted != wish

    def _look(self, control: Control, target: Value, plan: _Plan, *, back: bool = False) -> None:
        """See what stands there, and plan to write the target unless the value is somebody else's."""
        tunable = control.tunable
        try:
            value = control.actuator.read(tunable)
        except OSError as error:
            control.gone = errno_name(error) in GONE
            self._refuse(control, target, errno_name(error), f"the kernel answers {errno_name(error)}", plan)
            return
        except ValueError:
            self._refuse(control, target, "unparseable", "the file does not hold what the kernel documents", plan)
            return
        entry = self._baseline.entries.get(tunable.name)
        moving = control.returned or plan.now_s < control.settle_s
        if entry is not None and not moving and entry.writer(value) == "other":
            if entry.intended is not None:
                control.contest(plan.now_s)
                control.accept()
                control.foreign, control.wish, control.wanted = value, target, None
                plan.foreign[tunable.name] = value
            self._let_go(control)
            if back:
                control.forget()
                return
        if (
            control.foreign is not None
            and control.wish == target
            and not (plan.force and _eases(control, target, value))
        ):
            return
        fresh = control.stale or control.returned
        clamp = control.read_back if control.wanted == target and not fresh else None
        control.foreign = control.wish = None
        control.stale = control.returned = False
        plan.steps[tunable.name] = Step(
            tunable.name, tunable.role.value, tunable.path, target, value, back=back, clamp=clamp
        )

    def _plan_moved(self, wanted: Mapping[str, Value], plan: _Plan) -> None:
        """What a step is about to move by itself is written again if it is wished for, and watched if not."""
        movers = [step for step in plan.steps.values() if not step.there]
        for name, control in self._known.items():
            moving = [step for step in movers if self._known[step.name].moves(control)]
            if control.gone or not moving:
                continue
            forwards = not all(step.back for step in moving)
            entry = self._baseline.entries.get(name)
            if name not in plan.steps and control.foreign is None and control.refusal is None:
                if name in wanted:
                    self._look(control, wanted[name], plan)
                elif entry is not None and not forwards:
                    self._look(control, entry.original, plan, back=True)
                elif (value := control.present()) is not None:
                    plan.watched[name] = value if entry is None else entry.original
            plan.shaken.add(name)
            if forwards:
                plan.moved.add(name)
            control.settle_s = plan.now_s + _SETTLE_S

    def _act(self, plan: _Plan) -> None:
        """Record, write, read back, record."""
        names = [step.name for step in forward(plan.steps.values())] + list(plan.watched)
        before = {name: entry.copy() if (entry := self._baseline.entries.get(name)) else None for name in names}
        for step in forward(plan.steps.values()):
            if not step.back and (not step.there or step.name in plan.shaken):
                self._baseline.intend(self._known[step.name].tunable, step.now, step.target)
        for name, value in plan.watched.items():
            self._baseline.watch(self._known[name].tunable, value)
        try:
            self._baseline.save()
        except OSError as error:
            self._give_up(plan, before, errno_name(error))
        order = sorted(plan.steps.values(), key=lambda step: self._sequence(step.name))
        carry_out(order, self._read, self._write, self._sibling)
        for step in order:
            self._finish(step, before[step.name], plan)
        for name in plan.watched:
            self._watch(name, order)
        self._save()
        self._declare()

    def _watch(self, name: str, steps: Sequence[Step]) -> None:
        """Note where it went by itself; nothing to watch if nothing that moves it was written."""
        control = self._known[name]
        present = control.present()
        control.read_back = self._baseline.entries[name].original if present is None else present
        self._baseline.settle(name, control.read_back)
        moved = any(step.written and self._known[step.name].moves(control) for step in steps)
        if not moved and control.read_back == self._baseline.entries[name].original:
            self._baseline.put(name, None)

    def _give_up(self, plan: _Plan, before: Mapping[str, Entry | None], cause: str) -> None:
        """What cannot be recorded is not written; what goes back may go."""
        for name, entry in before.items():
            self._baseline.put(name, entry)
        plan.watched.clear()
        for name, step in list(plan.steps.items()):
            if not step.back:
                del plan.steps[name]
                self._refuse(self._known[name], step.target, cause, "the baseline cannot be recorded", plan)

    def _finish(self, step: Step, before: Entry | None, plan: _Plan) -> None:
        control = self._known[step.name]
        if step.error:
            control.gone = step.error in GONE
            self._refuse(control, step.target, step.error, step.reason, plan)
        else:
            control.accept()
        if step.written:
            plan.settings[step.name] = step.now
        if step.error and step.name in plan.shaken and step.name in self._baseline.entries:
            self._baseline.settle(step.name, step.now)
        if step.back:
            if not step.error:
                control.forget()
                self._return(step.name, plan)
            return
        if step.error and step.now == step.before:
            self._baseline.put(step.name, before)
            control.wanted = None
            return
        control.wanted, control.read_back = step.target, step.now
        if step.name in self._baseline.entries:
            control.found = self._baseline.entries[step.name].original
            self._baseline.settle(step.name, step.now)

    def _return(self, name: str, plan: _Plan) -> None:
        """It went back. Where another step moves it again, that is watched."""
        if name in plan.moved:
            self._baseline.release(name)
            plan.watched[name] = self._baseline.entries[name].original
        else:
            self._baseline.put(name, None)

    def _refuse(self, control: Control, value: Value, cause: str, why: str, plan: _Plan) -> None:
        refusal = Refusal(cause, value, f"{control.tunable.name} was not set to {value}: {why}")
        control.refuse(refusal, plan.now_s)
        plan.rejected[control.tunable.name] = refusal

    def _moved(self, control: Control, entry: Entry | None, value: Value, now_s: float) -> bool:
        """A value isn't the one last read back; whether that was somebody else."""
        watched = entry is not None and entry.intended is None
        if entry is not None and (now_s < control.settle_s or entry.writer(value) == "gamesad" or watched):
            if not watched and value != control.wanted:
                control.stale = self._stale = True
            elif watched and now_s >= control.settle_s and entry.writer(value) == "other":
                self._let_go(control)
                return False
            control.read_back = value
            self._baseline.settle(control.tunable.name, value)
            return False
        control.contest(now_s)
        if entry is not None and value == entry.original and control.tunable.role is not Role.PLATFORM_PROFILE:
            control.stale = self._stale = True
            return True
        self._let_go(control)
        control.foreign, control.wish, control.wanted = value, control.wanted, None
        self._foreign[control.tunable.name] = value
        self._stale = True
        return True

    def _let_go(self, control: Control) -> None:
        """The value is somebody else's from now on, and so is what it alone moves."""
        self._baseline.put(control.tunable.name, None)
        ours = [other for name, other in self._known.items() if self._held(name) is not None]
        for name, other in self._known.items():
            watched = name in self._baseline.entries and self._held(name) is None
            if watched and control.moves(other) and not any(mover.moves(other) for mover in ours):
                self._baseline.put(name, None)

    def _welcome(self, control: Control) -> None:
        """It is there again, with whatever the kernel gave it."""
        control.gone = False
        control.accept()
        control.returned = control.stale = self._stale = True

    def _declare(self) -> None:
        """What can be set now, and what was found; a tunable that cannot be read isn't offered."""
        for name, control in self._known.items():
            if name in self._baseline.entries:
                control.found = self._baseline.entries[name].original
            elif control.found is None and not control.gone:
                control.found = control.present()
        offered = {
            name: control for name, control in self._known.items() if not control.gone and control.found is not None
        }
        self.controls = Controls(
            {name: control.tunable for name, control in offered.items()},
            {name: control.found for name, control in offered.items() if control.found is not None},
        )

    def _held(self, name: str) -> Entry | None:
        entry = self._baseline.entries.get(name)
        return entry if entry is not None and entry.intended is not None else None

    def _at_rest(self, control: Control) -> Value | None:
        entry = self._baseline.entries.get(control.tunable.name)
        return entry.original if entry is not None else control.present()

    def _sequence(self, name: str) -> tuple[bool, int]:
        entry = self._baseline.entries.get(name)
        return (False, 0) if entry is None else (entry.intended is not None, entry.sequence)

    def _save(self) -> None:
        """After the fact: what could not be recorded now is recorded at the next change."""
        try:
            self._baseline.save()
        except OSError as error:
            problem = f"the baseline cannot be written: {errno_name(error)}"
            if problem not in self._baseline.problems:
                self._baseline.problems += (problem,)

    def _read(self, step: Step) -> Value:
        control = self._there(step.name)
        return control.actuator.read(control.tunable)

    def _write(self, step: Step, value: Value) -> None:
        control = self._there(step.name)
        control.actuator.write(control.tunable, value)

    def _sibling(self, step: Step) -> Value | None:
        control = self._known.get(step.name)
        return control.other.present() if control is not None and control.other is not None else None

    def _there(self, name: str) -> Control:
        if name not in self._known:
            raise OSError(errno.ENODEV, "not there now", name)
        return self._known[name]


def _eases(control: Control, target: Value, value: Value) -> bool:
    """Whether the target is less power than what stands there."""
    wanted, present = control.tunable.power(target), control.tunable.power(value)
    return wanted is not None and present is not None and wanted < present
