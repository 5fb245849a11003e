"""Small segments for tests."""

from __future__ import annotations

from pathlib import Path

from gamesad.crystal import layout
from gamesad.crystal.segment import Segment

POOL = layout.POOL


def segment(folder: Path, pool_max: int = 64 << 20) -> Segment:
    """In place at ``folder``/gamesad, with short rings."""
    folder.mkdir(exist_ok=True)
    rings = ((60, 1), (60, 10), (60, 300))
    return Segment.create(
        str(folder / "gamesad"), columns=4, tunables=2, version="0.2", simulated=True, pool_max=pool_max,
        stale_after_s=10.0, rings=rings, decisions=64,
    )  # fmt: skip
