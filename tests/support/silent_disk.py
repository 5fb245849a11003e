"""A disk that does not answer: fsync(2) blocks, as on ext4 beside a heavy writer, for as long as the test likes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from gamesad import durable

PATIENCE_S = 1.0
"""What the disk is given here: room for a busy machine."""


class Disk:
    """``syncs`` counts the fsyncs that were asked for."""

    def __init__(self) -> None:
        self.syncs = 0
        self._answers = threading.Event()
        self._answers.set()

    def fall_silent(self) -> None:
        self._answers.clear()

    def answer(self) -> None:
        self._answers.set()

    def sync(self, _handle: int) -> None:
        self.syncs += 1
        self._answers.wait()


@contextmanager
def disk() -> Iterator[Disk]:
    """This process's disk; it answers at the end, so that no thread is left."""
    disk = Disk()
    with patch.object(os, "fsync", disk.sync), patch.object(durable, "PATIENCE_S", PATIENCE_S):
        try:
            yield disk
        finally:
            disk.answer()


def while_there(marker: Path) -> str:
    """Python statements after which the process's disk is silent while this file is there."""
    return (
        "import time\n"
        f"def fsync(handle, sync=os.fsync):\n"
        f"    while os.path.exists({str(marker)!r}): time.sleep(0.02)\n"
        "    sync(handle)\n"
        "os.fsync = fsync\n"
    )
