"""Views of the rings for programs that have numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gamesad.crystal import layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gamesad.crystal.attachment import Attachment

_NAMES = ("minimum", "mean", "maximum")


def rings(at: Attachment, length: int) -> dict[int, NDArray[Any]]:
    """Each ring that is there, by its period in s; see ``Crystal.arrays``."""
    columns = at.header.geometry.columns
    row = np.dtype(
        {
            "names": ["time_us", "samples", "crc", "columns"],
            "formats": ["<u8", "<u4", "<u4", (np.dtype([(name, "<f4") for name in _NAMES]), (columns,))],
            "offsets": [0, 8, 12, layout.ROW_HEAD.size],
            "itemsize": layout.row_size(columns),
        }
    )
    memory = at.map(length)
    found = {}
    for number, (rows, period_s) in enumerate(at.header.geometry.rings):
        if section := at.section(layout.RING_1S + number, length):
            found[period_s] = np.frombuffer(memory, row, rows, section[0] + layout.RING_HEAD)
    return found
