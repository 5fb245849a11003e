"""Brings settings into force: differences only, in a safe order, recorded first, read back, and put back at the end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence

from gamesad.actuation.acting import act
from gamesad.actuation.baseline import Baseline
from gamesad.actuation.inspection import look
from gamesad.actuation.known import Known
from gamesad.actuation.planning import make_plan
from gamesad.actuation.restore import Restored, put_back
from gamesad.hardware.base import Actuator
from gamesad.types import Applied, Controls, Refusal, Value


class Executor:
    """The only writer of tunables. Not thread-safe: it belongs to the tick.

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
        self._known = Known(baseline)
        self._clock = clock
        self._settings: Mapping[str, Value] | None = None  # of the last apply; None: look again, whatever they are
        self._retry_s = math.inf
        self._declined: dict[str, Value] = {}
        self._untold: dict[str, Value] = {}
        self.rescan(actuators)

    @property
    def refused(self) -> Mapping[str, Refusal]:
        """The wishes that the kernel refuses at present."""
        controls = self._known.controls.items()
        return {name: control.refused.refusal for name, control in controls if control.refused is not None}

    @property
    def contested(self) -> Mapping[str, int]:
        """How often somebody else changed what we hold, in the last 60 s; only tunables that were."""
        now_s = self._clock()
        counts = {name: control.contested(now_s) for name, control in self._known.controls.items()}
        return {name: count for name, count in counts.items() if count}

    @property
    def unrestored(self) -> bool:
        """Whether something of ours is still set, or recorded as set."""
        return bool(self._known.baseline.entries)

    @property
    def waits(self) -> bool:
        """Whether a tunable waits for a disk that does not answer."""
        return any(control.waits for control in self._known.controls.values())

    def rescan(self, actuators: Sequence[Actuator]) -> None:
        """Take up what is there now. A tunable that returns is written again; its original stays what it was."""
        self._known.take_up(actuators)
        self._settings = None
        self.controls = self._known.declare()

    def value(self, name: str) -> Value | None:
        """The present value; None when there is no such tunable or it cannot be read."""
        control = self._known.controls.get(name)
        try:
            return None if control is None else control.glance()
        except (OSError, ValueError):
            return None

    def writer(self, name: str) -> str:
        """Whose value stands there, as last seen: ``found``, ``gamesad`` or ``other``."""
        control = self._known.controls.get(name)
        if control is not None and control.yielded:
            return "other"
        return "gamesad" if self._known.held(name) is not None else "found"

    def apply(self, settings: Mapping[str, Value], *, force: bool = False) -> Applied:
        """Bring ``settings`` into force, and everything else of ours back to what was found.

        ``force`` is for safety: what somebody else set to more power than ``settings`` ask is taken back.
        """
        now_s = self._clock()
        if self.observe or not self._is_due(settings, now_s, force=force):
            return Applied({})
        wanted, declined = self._possible(settings)
        self._known.baseline.await_only(wanted)
        plan = make_plan(self._known, wanted, now_s, force=force)
        written: Mapping[str, Value] = {}
        if plan.steps:
            written = act(self._known, plan)
            self.controls = self._known.declare()
        untold, self._untold = self._untold, {}
        self._settings = dict(settings)
        self._retry_s = min((control.retry_s for control in self._known.controls.values()), default=math.inf)
        return Applied(written, declined | plan.rejected, untold | plan.foreign)

    def inspect(self) -> Mapping[str, Value]:
        """Reads back what is in force by our doing, and answers what somebody else changed.

        A value put back to the original (a CPU that came back) is written again at the next ``apply``; any other is
        somebody else's, left alone and named in that ``apply``. A platform profile is followed in any case.
        """
        findings = look(self._known, self._clock())
        self._untold |= findings.foreign
        if findings.due:
            self._settings = None
        if not self.observe:
            self._known.save()
        return findings.changed

    def restore(self) -> Restored:
        """Put everything back, in reverse; what somebody else changed is left and named. Idempotent."""
        known, baseline = self._known, self._known.baseline
        baseline.await_only(())
        entries = list(baseline.entries.values())
        if self.observe:
            return Restored((), {entry.name: "observe mode writes nothing" for entry in entries})
        result, keep = put_back(entries, known.read, known.write, known.sibling)
        for entry in entries:
            if entry.name not in keep:
                baseline.put(entry.name, None)
        known.save()
        for control in known.controls.values():
            control.forget()
            if control.name not in keep:
                control.found = None
        self._settings, self._declined, self._untold = None, {}, {}
        self.controls = known.declare()
        return result

    def _is_due(self, settings: Mapping[str, Value], now_s: float, *, force: bool) -> bool:
        woken = [control.wake() for control in self._known.controls.values() if control.asleep]
        if settings != self._settings or now_s >= self._retry_s or any(woken) or self._known.hear_disk():
            return True
        return force and any(control.yielded for control in self._known.controls.values())

    def _possible(self, settings: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, Refusal]]:
        """The settings that this machine can take, and a refusal of each other one that was not named before."""
        wanted: dict[str, Value] = {}
        declined: dict[str, Value] = {}
        refusals: dict[str, Refusal] = {}
        for name, value in settings.items():
            control = self._known.controls.get(name)
            if control is not None and control.tunable.allows(value):
                wanted[name] = value
                continue
            declined[name] = value
            if self._declined.get(name) != value:
                cause, why = ("ENOENT", "no such tunable") if control is None else ("EINVAL", "outside its range")
                refusals[name] = Refusal(cause, value, f"{name} was not set to {value}: {why}")
        self._declined = declined
        return wanted, refusals
