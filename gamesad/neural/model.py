"""What every learnt model can do for the life that all of them share: be saved, taken up again, and doubted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Arrays = Mapping[str, NDArray[np.generic]]
"""A model's whole state by name, as it lies in a checkpoint: no objects, no pickles."""


class Unusable(Exception):
    """A saved state that this model cannot take up: another shape, not finite, or not of this machine."""


class Model(Protocol):
    """One of the learnt models. Deterministic: the same seed and readings give the same bits."""

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Copies of everything that ``load`` needs to go on with bit-identical results."""

    def copy(self) -> Arrays:
        """What ``load`` can go back to in this process: as ``state``, but what is only remembered may be shared."""

    def load(self, state: Arrays) -> None:
        """Takes up a saved state. Unusable: nothing has changed."""

    def sound(self) -> bool:
        """False once a weight is not finite or has left the range it can have learnt; cheap, asked after each step."""
