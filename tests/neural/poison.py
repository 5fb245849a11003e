"""What a bug in a model's arithmetic would do to it."""

from __future__ import annotations

import numpy as np


def poison(model: object) -> None:
    """Every number of it that can be is NaN, in all its parts."""
    for value in list(vars(model).values()):
        if isinstance(value, np.ndarray):
            if value.dtype.kind == "f" and value.flags.writeable:
                value.fill(np.nan)
        elif hasattr(value, "__dict__") and not callable(value):
            poison(value)
