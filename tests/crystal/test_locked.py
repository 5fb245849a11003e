"""HOT blocks are locked in memory, page by page; where the kernel refuses there is one line and nothing else."""

from __future__ import annotations

import mmap
import os
import re
import subprocess
import sys
from pathlib import Path

from gamesad.crystal.tiering.locked import Locked

PAGE = mmap.PAGESIZE


def locked_kib() -> int:
    found = re.search(r"^VmLck:\s+(\d+) kB$", Path("/proc/self/status").read_text(), flags=re.MULTILINE)
    assert found
    return int(found[1])


def test_exactly_the_pages_that_are_touched_are_locked() -> None:
    with mmap.mmap(-1, 64 * PAGE) as memory:
        before, held = locked_kib(), Locked(memory)
        held.hold([(10, 20), (3 * PAGE - 1, 2), (10 * PAGE, PAGE)])
        assert (locked_kib() - before) * 1024 == held.bytes == 4 * PAGE
        held.hold([(0, 5 * PAGE)])
        assert (locked_kib() - before) * 1024 == held.bytes == 5 * PAGE
        held.hold([])
        assert (locked_kib() - before, held.bytes, held.refused) == (0, 0, "")


def test_locks_end_with_the_mapping_and_do_not_keep_it() -> None:
    before = locked_kib()
    memory = mmap.mmap(-1, 8 * PAGE)
    Locked(memory).hold([(0, 8 * PAGE)])
    memory.close()
    assert locked_kib() == before


def test_a_refusal_is_one_line_and_what_is_locked_stays_known() -> None:
    """As a user with a limit of 8 pages: root is refused nothing."""
    program = f"""
import mmap, os, resource
from gamesad.crystal.tiering.locked import Locked
resource.setrlimit(resource.RLIMIT_MEMLOCK, ({8 * PAGE}, {8 * PAGE}))
if os.geteuid() == 0:
    os.setuid(65534)
memory = mmap.mmap(-1, {64 * PAGE})
held = Locked(memory)
held.hold([(0, {4 * PAGE})])
held.hold([(0, {32 * PAGE})])
print(held.refused)
print(held.bytes)
held.hold([(0, {2 * PAGE})])
print(repr(held.refused), held.bytes)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=os.getcwd())
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        (
            f"{28 * PAGE} bytes of hot blocks are not locked in memory (Cannot allocate memory); "
            "raise LimitMEMLOCK of the service"
        ),
        str(4 * PAGE),
        f"'' {2 * PAGE}",
    ]


def test_holding_the_same_again_costs_no_call() -> None:
    with mmap.mmap(-1, 8 * PAGE) as memory:
        held = Locked(memory)
        held.hold([(0, PAGE)])
        held._libc = None  # type: ignore[assignment]
        held.hold([(5, 10)])
        assert held.bytes == PAGE
