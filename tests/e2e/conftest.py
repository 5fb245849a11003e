"""What the daemon keeps is in memory, so that a disk busy with other work decides nothing here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import in_memory


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with in_memory.folder() as folder:
        yield folder
