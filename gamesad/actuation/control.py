"""What the executor knows of one tunable besides its entry in the baseline."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from gamesad.actuation.steps import ASLEEP, GONE, errno_name
from gamesad.hardware.base import Actuator
from gamesad.types import Refusal, Tunable, Value

_BACK_OFF_S = (5.0, 30.0, 300.0)
_CONTEST_S = 60.0
_SETTLE_S = 3.0
"""How long firmware may take to move EPP and power limits after a new platform profile."""


class Standing(Enum):
    """What became of the last wish."""

    NONE = auto()
    """Nothing wished for is in force."""
    IN_FORCE = auto()
    MOVED = auto()
    """In force until firmware, or a reset to the original, moved it: to be written again."""
    YIELDED = auto()
    """Somebody else's value stands there, and is left alone until another value is wished for."""


class Presence(Enum):
    THERE = auto()
    GONE = auto()
    """Its CPU, driver or device has left."""
    ASLEEP = auto()
    """Its device sleeps: neither read nor written until it wakes by itself."""
    RETURNED = auto()
    """There again, with whatever the kernel gave it: nobody's wish."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The kernel's last answer, and when to ask again."""

    refusal: Refusal
    attempts: int
    retry_s: float


class Control:
    """One tunable's state. ``found`` is the value before our first write, None until one could be read.

    ``other_end`` is the other end of a frequency range. Until ``settles_s`` it may move by our own doing.
    """

    __slots__ = (
        "_contested_s",
        "actuator",
        "found",
        "other_end",
        "presence",
        "refused",
        "settles_s",
        "standing",
        "tunable",
        "wish",
    )

    def __init__(self, tunable: Tunable, actuator: Actuator) -> None:
        self.tunable = tunable
        self.actuator = actuator
        self.other_end: Control | None = None
        self.found: Value | None = None
        self.presence = Presence.THERE
        self.settles_s = -math.inf
        self._contested_s: list[float] = []
        self.refused: Refused | None = None
        self.forget()

    @property
    def name(self) -> str:
        return self.tunable.name

    @property
    def group(self) -> str:
        """The folder of the file: what stands in it belongs together."""
        return self.tunable.path.rpartition("/")[0]

    @property
    def gone(self) -> bool:
        return self.presence in {Presence.GONE, Presence.ASLEEP}

    @property
    def asleep(self) -> bool:
        return self.presence is Presence.ASLEEP

    @property
    def yielded(self) -> bool:
        return self.standing is Standing.YIELDED

    @property
    def in_force(self) -> Value | None:
        """The wish that is in force, if moved then only until the next apply."""
        return self.wish if self.standing is Standing.IN_FORCE or self.standing is Standing.MOVED else None

    @property
    def retry_s(self) -> float:
        return math.inf if self.refused is None else self.refused.retry_s

    @property
    def waits(self) -> bool:
        """For a disk that does not answer (durable.Silent)."""
        return self.refused is not None and self.refused.refusal.errno == "ETIMEDOUT"

    def lose(self, cause: str) -> None:
        """It cannot be reached: ``cause`` is one of GONE."""
        self.presence = Presence.ASLEEP if cause == ASLEEP else Presence.GONE

    def wake(self) -> bool:
        """Whether its device no longer sleeps; asking wakes nothing."""
        try:
            self.read()
        except OSError as error:
            if errno_name(error) in GONE:
                self.lose(errno_name(error))
                return False
        except ValueError:
            pass
        self.presence, self.refused = Presence.RETURNED, None
        return True

    def forget(self) -> None:
        """Nothing of ours is in force, and nothing is wished for."""
        self.refused = None
        self.lapse()

    def lapse(self) -> None:
        """The last wish is not in force."""
        self.standing = Standing.NONE
        self.wish: Value | None = None

    def take(self, wish: Value) -> None:
        """The wish is in force, as near as the kernel allows."""
        self.standing, self.wish = Standing.IN_FORCE, wish

    def yield_to_other(self, wish: Value | None) -> None:
        """Somebody else changed it: theirs stands as long as the wish stays this one."""
        self.standing, self.wish = Standing.YIELDED, wish
        self.refused = None

    def move(self) -> None:
        """What is in force was moved."""
        if self.standing is Standing.IN_FORCE:
            self.standing = Standing.MOVED

    def refuse(self, value: Value, cause: str, why: str, now_s: float) -> Refusal:
        """Tried again after 5 s, 30 s, then every 5 minutes; at once when another value is wished for.

        What is gone is tried again when it returns.
        """
        refusal = Refusal(cause, value, f"{self.name} was not set to {value}: {why}")
        attempts = self.refused.attempts + 1 if self.refuses(value) and self.refused is not None else 1
        wait_s = math.inf if self.gone else _BACK_OFF_S[min(attempts, len(_BACK_OFF_S)) - 1]
        self.refused = Refused(refusal, attempts, now_s + wait_s)
        return refusal

    def refuses(self, value: Value) -> bool:
        return self.refused is not None and self.refused.refusal.value == value

    def settle(self, now_s: float) -> None:
        """Something of ours moves it about now."""
        self.settles_s = now_s + _SETTLE_S

    def contest(self, now_s: float) -> None:
        """Somebody else changed it."""
        self._contested_s = [at_s for at_s in self._contested_s if now_s - at_s < _CONTEST_S]
        self._contested_s.append(now_s)

    def contested(self, now_s: float) -> int:
        """How often somebody else changed it in the last 60 s."""
        return sum(now_s - at_s < _CONTEST_S for at_s in self._contested_s)

    def read(self) -> Value:
        """The value that stands there. OSError as the kernel gives it; ValueError: not what it documents."""
        return self.actuator.read(self.tunable)

    def glance(self) -> Value:
        """``read``, or what was read lately where looking keeps a device awake (hardware.gpu.CardActuator)."""
        glance: Callable[[Tunable], Value] = getattr(self.actuator, "glance", self.actuator.read)
        return glance(self.tunable)

    def present(self) -> Value | None:
        """The value that stands there; None when it cannot be read."""
        try:
            return self.read()
        except (OSError, ValueError):
            return None

    def eases(self, value: Value, than: Value) -> bool:
        """Whether the value is less power than the other."""
        power, other = self.tunable.power(value), self.tunable.power(than)
        return power is not None and other is not None and power < other
