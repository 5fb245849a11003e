"""A model in care: what goes wrong in it ends there, and it goes on from its last sound state within the tick."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from gamesad.neural.model import Arrays, Model, Unusable

M = TypeVar("M", bound=Model)
T = TypeVar("T")

COPY_S = 60
"""So old, in seconds that the model has worked, is the state it goes back to at most."""
SETTLED_S = 600
"""After so many without a failure it counts as sound again."""
_FAILURES = 3
"""So many, each within as many seconds of the one before, and it is left alone for a while."""
REST_S = 60
_LOG = logging.getLogger(__name__)


class Ward(Generic[M]):
    """One model. ``make``: a fresh one. ``load``: one in a saved state, Unusable. ``tell`` is called with its name and
    what went wrong, once, and with "" when it has been well for ``SETTLED_S``."""

    def __init__(
        self, name: str, make: Callable[[], M], load: Callable[[Arrays], M], tell: Callable[[str, str], None]
    ) -> None:
        self.name = name
        self.model = make()
        self.rollbacks = 0
        self.problem = ""
        """What went wrong lately."""
        self._make, self._load, self._tell = make, load, tell
        self._copy: Arrays | None = None
        self._copy_age_s = 0
        self._well_s = 0
        self._failures = 0
        self._rest_s = 0

    @property
    def size(self) -> int:
        """Bytes of its state; 0 before there is a copy to go back to."""
        return sum(array.nbytes for array in self._copy.values()) if self._copy else 0

    def work(self, what: Callable[[M], T], otherwise: T) -> T:
        """What ``what`` makes of the model; ``otherwise`` if that fails or leaves it unsound. Raises nothing."""
        if self._rest_s:
            return otherwise
        try:
            result = what(self.model)
            if self.model.sound():
                return result
            error = None
        except Exception as caught:  # noqa: BLE001 - no fault of a model may reach the tick
            error = caught
        self._roll_back(error)
        return otherwise

    def second(self) -> None:
        """A second of work is over."""
        if self._rest_s:
            self._rest_s -= 1
            return
        self._well_s += 1
        self._copy_age_s += 1
        if self._well_s > _FAILURES:
            self._failures = 0
        if self.problem and self._well_s >= SETTLED_S:
            self.problem = ""
            self._tell(self.name, "")
        if self._copy_age_s >= COPY_S:
            self._copy_age_s = 0
            self._copy = self.work(lambda model: model.copy(), self._copy)

    def take_up(self, state: Arrays) -> None:
        """Goes on from a saved state. Unusable: nothing has changed."""
        try:
            model = self._load(state)
            sound, copy = model.sound(), model.copy()
        except Unusable:
            raise
        except Exception as error:
            raise Unusable(f"{type(error).__name__}: {error}") from error
        if not sound:
            raise Unusable("its numbers are not finite, or cannot have been learnt")
        self.model, self._copy, self._copy_age_s = model, copy, 0

    def reset(self) -> None:
        """Forgets everything."""
        self.model, self._copy, self._copy_age_s = self._make(), None, 0
        self._rest_s = self._failures = 0

    def _goes_back(self, copy: Arrays) -> bool:
        try:
            self.take_up(copy)
        except Unusable:
            return False
        return True

    def _roll_back(self, error: Exception | None) -> None:
        """``error`` None: the model is unsound. What failed again at once has learnt something bad before the copy."""
        self.rollbacks += 1
        self._failures += 1
        self._well_s = 0
        copy, failures, began = self._copy, self._failures, not self.problem
        why = "its numbers have left what can be learnt" if error is None else f"{type(error).__name__}: {error}"
        if error is not None and began:
            _LOG.error("the %s model failed", self.name, exc_info=error)
        outcome = "goes on from what it was a minute ago"
        if copy is None or failures > 1 or not self._goes_back(copy):
            self.reset()
            self._failures, outcome = failures, "begins anew"
        if failures >= _FAILURES:
            self._rest_s, self._failures, outcome = REST_S, 0, f"begins anew in {REST_S} s"
        self.problem = f"{why}; it {outcome}"
        if began:
            self._tell(self.name, self.problem)
