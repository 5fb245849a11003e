"""What an apply is going to write, and what it leaves and why. Reads tunables and writes none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gamesad.actuation.control import Control, Presence, Standing
from gamesad.actuation.dependence import moves, within_each_other
from gamesad.actuation.known import Known
from gamesad.actuation.steps import ASLEEP, GONE, Step, absence, errno_name
from gamesad.types import Refusal, Value


@dataclass(slots=True)
class Plan:
    """The steps of one apply by tunable, and what it has to tell.

    ``watched``: tunable → original, of what a step may move by itself and nobody wishes for. ``shaken``: all that a
    step may move. ``moved``: of these, what is moved by more than the going back of something.
    """

    now_s: float
    steps: dict[str, Step] = field(default_factory=dict)
    watched: dict[str, Value] = field(default_factory=dict)
    shaken: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    rejected: dict[str, Refusal] = field(default_factory=dict)
    foreign: dict[str, Value] = field(default_factory=dict)

    def refuse(self, control: Control, value: Value, cause: str, why: str) -> None:
        refusal = control.refuse(value, cause, why, self.now_s)
        if cause != ASLEEP:  # can be seen, and is no news: cards fall asleep all the time
            self.rejected[control.name] = refusal


def make_plan(known: Known, wanted: Mapping[str, Value], now_s: float, *, force: bool) -> Plan:
    """Bring ``wanted`` into force and everything else that is held back. Every value is one that its tunable allows."""
    wanted = within_each_other(wanted, known.controls, known.at_rest)
    planner = _Planner(known, Plan(now_s), force=force)
    for name, control in known.controls.items():
        planner.consider(control, wanted.get(name))
    planner.follow(wanted)
    return planner.plan


class _Planner:
    def __init__(self, known: Known, plan: Plan, *, force: bool) -> None:
        self._known = known
        self.plan = plan
        self._force = force

    def consider(self, control: Control, wish: Value | None) -> None:
        """Plan what is due to be written for a wish, or, without one, to put back what is held."""
        held = self._known.held(control.name)
        target = wish if wish is not None else held.original if held is not None else None
        if target is None:
            control.forget()
            return
        if not control.refuses(target):
            control.refused = None
        if wish is None:
            if not control.gone and self._may_retry(control):
                self._approach(control, target, back=True)
        elif control.gone:
            if control.refused is None:
                cause = ASLEEP if control.asleep else "ENODEV"
                self.plan.refuse(control, wish, cause, absence(cause))
        elif self._is_due(control, wish):
            self._approach(control, wish)

    def follow(self, wanted: Mapping[str, Value]) -> None:
        """What a step is about to move by itself is written again if it is wished for, and watched if not."""
        known, plan = self._known, self.plan
        movers = [step for step in plan.steps.values() if not step.there]
        for name, control in known.controls.items():
            moving = [step for step in movers if moves(known.controls[step.name], control)]
            if control.gone or not moving:
                continue
            only_back = all(step.back for step in moving)
            if name not in plan.steps and not control.yielded and control.refused is None:
                self._follow_one(control, wanted.get(name), only_back=only_back)
            plan.shaken.add(name)
            if not only_back:
                plan.moved.add(name)
            control.settle(plan.now_s)

    def _follow_one(self, control: Control, wish: Value | None, *, only_back: bool) -> None:
        entry = self._known.entry(control.name)
        if wish is not None:
            self._approach(control, wish)
        elif entry is not None and only_back:
            self._approach(control, entry.original, back=True)
        elif (value := control.present()) is not None:
            self.plan.watched[control.name] = value if entry is None else entry.original

    def _may_retry(self, control: Control) -> bool:
        return control.refused is None or self.plan.now_s >= control.refused.retry_s

    def _is_due(self, control: Control, wish: Value) -> bool:
        if control.yielded and control.wish == wish:
            return self._force
        if control.refused is not None:
            return self._may_retry(control)
        return not self._stands(control, wish)

    @staticmethod
    def _stands(control: Control, wish: Value) -> bool:
        """Whether the wish is in force, not refused in part, and nothing has moved it since as far as is known."""
        unmoved = control.standing is Standing.IN_FORCE and control.presence is Presence.THERE
        return unmoved and control.refused is None and control.wish == wish

    def _approach(self, control: Control, target: Value, *, back: bool = False) -> None:
        """See what stands there, and plan to write the target unless the value is somebody else's."""
        try:
            value = control.read()
        except OSError as error:
            cause = errno_name(error)
            if cause in GONE:
                control.lose(cause)
            why = absence(cause) if control.asleep else f"the kernel answers {cause}"
            self.plan.refuse(control, target, cause, why)
            return
        except ValueError:
            self.plan.refuse(control, target, "unparseable", "the file does not hold what the kernel documents")
            return
        if self._is_foreign(control, value):
            self._yield(control, target, value)
            if back:
                control.forget()
                return
        taken_back = self._force and control.eases(target, than=value)
        if control.yielded and control.wish == target and not taken_back:
            return
        self._add_step(control, target, value, back=back)

    def _is_foreign(self, control: Control, value: Value) -> bool:
        """Whether a value is neither ours nor the original. What returned, or may yet settle, is not judged."""
        entry = self._known.entry(control.name)
        moving = control.presence is Presence.RETURNED or self.plan.now_s < control.settles_s
        return entry is not None and not moving and entry.writer(value) == "other"

    def _yield(self, control: Control, target: Value, value: Value) -> None:
        if self._known.held(control.name) is not None:
            control.contest(self.plan.now_s)
            control.yield_to_other(target)
            self.plan.foreign[control.name] = value
        self._known.let_go(control)

    def _add_step(self, control: Control, target: Value, value: Value, *, back: bool) -> None:
        clamp = self._known.last_seen(control) if self._stands(control, target) else None
        control.lapse()
        control.presence = Presence.THERE
        tunable = control.tunable
        step = Step(tunable.name, tunable.role.value, tunable.path, target, value, back=back, clamp=clamp)
        self.plan.steps[tunable.name] = step
