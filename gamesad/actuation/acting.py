"""Carrying out a plan: record what is intended, write, read back, record what came of it."""

from __future__ import annotations

from gamesad.actuation.baseline import Unrecorded
from gamesad.actuation.control import Control
from gamesad.actuation.dependence import moves
from gamesad.actuation.entry import Entry
from gamesad.actuation.known import Known
from gamesad.actuation.planning import Plan
from gamesad.actuation.steps import GONE, Step, carry_out, errno_name, forward
from gamesad.durable import Silent
from gamesad.types import Value


def act(known: Known, plan: Plan) -> dict[str, Value]:
    """What was written, as read back; refusals are added to the plan's.

    The baseline is on disk before the first write. When it cannot be, only what goes back is written.
    """
    return _Act(known, plan).run()


class _Act:
    def __init__(self, known: Known, plan: Plan) -> None:
        self._known = known
        self._baseline = known.baseline
        self._plan = plan
        self._before: dict[str, Entry | None] = {}
        for name in [*plan.steps, *plan.watched]:
            entry = self._baseline.entries.get(name)
            self._before[name] = None if entry is None else entry.copy()

    def run(self) -> dict[str, Value]:
        self._record_intentions()
        steps = sorted(self._plan.steps.values(), key=lambda step: self._first_write(step.name))
        carry_out(steps, self._known.read, self._known.write, self._known.sibling)
        for step in steps:
            self._conclude(step)
        for name in self._plan.watched:
            self._watch(self._known.controls[name], steps)
        self._known.save()
        return {step.name: step.now for step in steps if step.written}

    def _record_intentions(self) -> None:
        for step in forward(self._plan.steps.values()):
            if not step.back and (not step.there or step.name in self._plan.shaken):
                self._baseline.intend(self._known.controls[step.name].tunable, step.now, step.target)
        for name, original in self._plan.watched.items():
            self._baseline.watch(self._known.controls[name].tunable, original)
        try:
            self._baseline.save()
        except Unrecorded as unrecorded:
            self._give_up(unrecorded)

    def _give_up(self, unrecorded: Unrecorded) -> None:
        """What cannot be recorded is not written; what goes back may go, and so may what another file records."""
        controls = self._known.controls
        cause = errno_name(unrecorded.error)
        why, undo = f"the baseline cannot be recorded ({cause})", self._baseline.put
        if isinstance(unrecorded.error, Silent):
            why = f"{unrecorded.error.filename} must be on the disk first, which does not answer; set once it does"
            undo = self._baseline.postpone
        lost = [name for name in self._before if unrecorded.volatile or controls[name].tunable.persistent]
        for name in lost:
            undo(name, self._before[name])
            self._plan.watched.pop(name, None)
            step = self._plan.steps.get(name)
            if step is not None and not step.back:
                del self._plan.steps[name]
                self._plan.refuse(controls[name], step.target, cause, why)

    def _first_write(self, name: str) -> tuple[bool, int]:
        """Orders by the first write; what was only watched comes first, and so goes back last."""
        entry = self._baseline.entries.get(name)
        return (False, 0) if entry is None else (entry.intended is not None, entry.sequence)

    def _conclude(self, step: Step) -> None:
        control = self._known.controls[step.name]
        if step.error in GONE:
            control.lose(step.error)
        if step.error:
            self._plan.refuse(control, step.target, step.error, step.reason)
        else:
            control.refused = None
        if step.back:
            self._conclude_back(control, step)
        elif step.error and step.now == step.before:
            self._baseline.put(step.name, self._before[step.name])
        else:
            control.take(step.target)
            self._known.settle(control, step.now)

    def _conclude_back(self, control: Control, step: Step) -> None:
        """It went back. Where another step moves it again, that is watched."""
        if step.error:
            if step.name in self._plan.shaken:
                self._known.settle(control, step.now)
            return
        control.forget()
        if step.name in self._plan.moved:
            self._baseline.release(step.name)
            self._plan.watched[step.name] = self._baseline.entries[step.name].original
        else:
            self._baseline.put(step.name, None)

    def _watch(self, control: Control, steps: list[Step]) -> None:
        """Note where it went by itself; nothing to watch if nothing that moves it was written."""
        original = self._baseline.entries[control.name].original
        present = control.present()
        value = original if present is None else present
        self._baseline.settle(control.name, value)
        moved = any(step.written and moves(self._known.controls[step.name], control) for step in steps)
        if not moved and value == original:
            self._baseline.put(control.name, None)
