"""/dev/shm runs full while blocks are frozen, thawed and moved: one clear line, and nothing is lost."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.support.private_bus import ROOT


def run(folder: Path, what: str, mib: int) -> list[str]:
    """The lines that tests/crystal/without_room.py prints, on a tmpfs of that size."""
    script = (
        f"mount -t tmpfs -o size={mib}m none {folder} && exec {sys.executable} -m tests.crystal.without_room {folder}"
    )
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f"{script} {what}"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    lines = ran.stdout.splitlines()
    assert lines[-1] == "right"
    return lines[:-1]


def test_a_compaction_without_room_changes_nothing_wherever_the_room_ends(tmp_path: Path) -> None:
    (line,) = run(tmp_path, "compactions", 24)
    outcomes = ast.literal_eval(line)
    assert outcomes[-1] == "compacted"
    assert outcomes[:-1] == ["not begun"] + ["not compacted"] * (len(outcomes) - 2)
    assert len(outcomes) > 10


def test_blocks_that_find_no_room_to_be_frozen_stay_and_are_frozen_later(tmp_path: Path) -> None:
    first, then = run(tmp_path, "freezes", 12)
    assert first.startswith("3 ['block 1 cannot change its tier: the pool cannot grow: ")
    assert first.count("cannot change") == 1
    assert then == "[3, 3, 3] ['there is room again for blocks to change their tiers'] [600000, 600000, 600000]"


def test_a_read_that_finds_no_room_to_thaw_is_an_error_and_the_block_stays(tmp_path: Path) -> None:
    assert run(tmp_path, "thaws", 12) == ["the pool cannot grow 3", "the pool cannot grow 3", "True"]
