"""In which order values are written, and the writing: one implementation for applying and for putting back.

Standard library only and cheap to import, because ``gamesad --restore`` uses it.

Forward: platform_profile (it may move the rest), governor, EPP, EPB, boost, frequencies, power limits, a card's
performance level. Putting back
goes the other way round, then looks at everything once more in the forward order: a profile or governor that was put
back may have moved what was put back before it, and what was refused before may be taken now. In both directions a
range is widened before it is narrowed, and governor ``performance`` is left before, and entered after, an EPP is put
back: it refuses every other EPP (EBUSY).

A frequency limit comes into force later than its write: cpufreq.c does that from a work queue, and until then the old
one is read (for up to 0.3 s on a busy machine). So it is read back with patience, and one that is to go back is
written even where it seems to be there: what a process that is no more wrote last may not have arrived yet.
"""

from __future__ import annotations

import errno
import time

TYPE_CHECKING = False  # typing costs 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Value = str | int

_FORWARD = (
    "platform_profile",
    "governor",
    "energy_performance_preference",
    "energy_performance_bias",
    "boost",
    "frequency_minimum",
    "frequency_maximum",
    "frequency_burst",
    "power_limit",
    "power_limit_short",
    "performance_level",
)
_RANK = dict(zip(_FORWARD, range(len(_FORWARD)), strict=True))

LATE = frozenset({"frequency_minimum", "frequency_maximum"})
_PATIENCE_S = 0.05
_PATIENCE_BACK_S = 0.5

ASLEEP = "EHOSTDOWN"
"""What is said, by us and by no driver, of a device that sleeps and is not to be woken."""
GONE = frozenset({"ENODEV", "ENOENT", "ENXIO", "ENOTDIR", ASLEEP})
"""What the kernel says when a CPU, a driver or a device has left, or that it cannot be reached for now."""


class Step:
    """One tunable on its way to ``target``.

    ``group`` is the folder of the file: what stands in it belongs together. ``clamp`` is what the kernel was seen to
    make of the target: as good as the target. ``now`` is the value last read, ``before`` the one before any write.
    ``error`` is an errno name or ``unparseable``, empty when all is well; ``reason`` says more. ``unsure``: to be
    written once even where the target is read.
    """

    __slots__ = (
        "back",
        "before",
        "clamp",
        "error",
        "group",
        "name",
        "now",
        "reason",
        "role",
        "target",
        "unsure",
        "written",
    )

    def __init__(
        self,
        name: str,
        role: str,
        path: str,
        target: Value,
        now: Value,
        *,
        back: bool = False,
        clamp: Value | None = None,
    ) -> None:
        self.name = name
        self.role = role
        self.group = path.rpartition("/")[0]
        self.target = target
        self.now = self.before = now
        self.back = back
        self.clamp = clamp
        self.error = ""
        self.reason = ""
        self.unsure = False
        self.written = False

    @property
    def there(self) -> bool:
        return self.now in (self.target, self.clamp)


def forward(steps: Iterable[Step]) -> list[Step]:
    """The order of applying."""
    return _in_pairs(sorted(steps, key=lambda step: _RANK.get(step.role, len(_RANK))))


def backward(steps: Iterable[Step]) -> list[Step]:
    """The order of putting back; ``steps`` come in the order in which they were first written."""
    return _in_pairs(list(steps)[::-1])


def _in_pairs(steps: list[Step]) -> list[Step]:
    place = {(step.group, step.role): index for index, step in enumerate(steps)}
    for group, role in list(place):
        first, second = _pair(steps, place, group, role)
        if first is not None and second is not None and first > second:
            steps[first], steps[second] = steps[second], steps[first]
    return steps


def _pair(steps: list[Step], place: dict[tuple[str, str], int], group: str, role: str) -> tuple[int | None, int | None]:
    """The places of two steps that depend on each other, in the order they need: the first must be written first."""
    if role == "governor":
        governor, preference = place[group, role], place.get((group, "energy_performance_preference"))
        if steps[governor].now == "performance":
            return governor, preference
        overruled = steps[governor].target == "performance" and preference is not None and steps[preference].back
        return (preference, governor) if overruled else (None, None)
    if role == "frequency_maximum":
        low, high = place.get((group, "frequency_minimum")), place[group, role]
    elif role == "power_limit_short":
        low, high = place.get((group, "power_limit")), place[group, role]
    else:
        return None, None
    return (high, low) if _rises(steps[high]) else (low, high)


def _rises(step: Step) -> bool:
    return isinstance(step.target, int) and isinstance(step.now, int) and step.target > step.now


def carry_out(
    steps: list[Step],
    read: Callable[[Step], Value],
    write: Callable[[Step, Value], None],
    sibling: Callable[[Step], Value | None],
) -> None:
    """Write every step whose value isn't there, each at most twice, and note in the steps what came of it.

    ``read`` and ``write`` raise OSError as the kernel gives it (``read`` also ValueError); ``sibling`` is the present
    other end of a frequency range. Steps that all go back are written in the backward order, others in the forward.
    """
    back = all(step.back for step in steps)
    patience = _Patience(_PATIENCE_BACK_S if back else _PATIENCE_S)
    for step in backward(steps) if back else forward(steps):
        _attempt(step, read, write, sibling, patience)
    if not back:
        return
    for step in forward(steps):
        if step.error not in GONE:
            _attempt(step, read, write, sibling, patience)


class _Patience:
    """Waits a little, and then a little longer, until all of its time is used up."""

    def __init__(self, left_s: float) -> None:
        self._left_s = left_s
        self._pause_s = 0.001

    def wait(self) -> bool:
        if self._left_s <= 0.0:
            return False
        time.sleep(self._pause_s)
        self._left_s -= self._pause_s
        self._pause_s = min(2 * self._pause_s, 0.016)
        return True


def _attempt(
    step: Step,
    read: Callable[[Step], Value],
    write: Callable[[Step, Value], None],
    sibling: Callable[[Step], Value | None],
    patience: _Patience,
) -> None:
    step.error = step.reason = ""
    try:
        step.now = old = read(step)
        if step.there and not step.unsure:
            return
        target = _within_range(step, sibling(step))
        if target == step.now and not step.unsure:
            return
        step.unsure = False
        write(step, target)
        step.written = True
        step.now = read(step)
        while step.role in LATE and step.now == old != target and patience.wait():
            step.now = read(step)
    except OSError as error:
        step.error = errno_name(error)
        answers = f"the kernel answers {step.error} to {step.target}"
        step.reason = absence(step.error) if step.error == ASLEEP else answers
        _read_again(step, read)
    except ValueError:
        step.error, step.reason = "unparseable", "the file does not hold what the kernel documents"


def _within_range(step: Step, other: Value | None) -> Value:
    """The target, or what it may be while the other end of its range stands where it does: never minimum > maximum.

    A wish comes as near as it can. A value to put back is not bent: it stays away, and is named.
    """
    if not isinstance(other, int) or not isinstance(step.target, int) or not isinstance(step.now, int):
        return step.target
    if step.role == "frequency_minimum" and step.target > other:
        nearest, end = max(step.now, other), "maximum"
    elif step.role == "frequency_maximum" and step.target < other:
        nearest, end = min(step.now, other), "minimum"
    else:
        return step.target
    step.error = "ERANGE"
    step.reason = f"{step.target} would cross the {end} of {other} that is in force"
    return step.now if step.back else nearest


def _read_again(step: Step, read: Callable[[Step], Value]) -> None:
    try:
        step.now = read(step)
    except (OSError, ValueError):
        return


def absence(cause: str) -> str:
    """Why something in GONE cannot be reached, for people."""
    return "its device sleeps, and is not woken for it" if cause == ASLEEP else "it is gone for now"


def errno_name(error: OSError) -> str:
    """As hardware.sysfs has it, which costs 40 ms to import."""
    return errno.errorcode.get(error.errno or 0, "EUNKNOWN")
