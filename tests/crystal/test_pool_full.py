"""A full /dev/shm at each step of the pool's growth: a clear error, no SIGBUS, and all that was there is there."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
STEPS = 8


def test_a_file_system_that_gets_full_at_any_step_costs_nothing_that_was_there(shm: str) -> None:
    line = [sys.executable, "-m", "tests.crystal.filling", shm, str(STEPS)]
    script = f"mount -t tmpfs -o size=96m none {shm} && exec {shlex.join(line)}"
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    refused = json.loads(done.stdout)
    print(refused)
    assert refused["allocate"] == STEPS
    assert min(refused.get(name, 0) for name in ("write", "segment", "move")) > 0
