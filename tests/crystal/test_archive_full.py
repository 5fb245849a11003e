"""A file system for the archive that is really full, and really read-only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json, random, subprocess, sys
from pathlib import Path
from tests.crystal.histories import COLUMNS, START_US, stretches
from tests.crystal.archived import Daemon

place = Path(sys.argv[1])
on_disk = place / "history"
on_disk.mkdir()
values = random.Random(1)

def mount(*options):
    subprocess.run(["mount", "-t", "tmpfs", *options, "none", on_disk], check=True)

def push(count):
    global second
    for second in range(second, second + count):
        daemon.history.push(START_US + second * 1_000_000, [values.random() for _ in range(COLUMNS)])

mount("-o", "size=8k")
daemon, second = Daemon(place), 0
for _ in range(40):
    push(50)
    daemon.save()
full = list(daemon.lines)
mount("-o", "remount,size=4m")
daemon.save()
roomy = daemon.lines[len(full):]
mount("-o", "remount,ro")
for _ in range(3):
    push(50)
    daemon.save()
read_only = daemon.lines[len(full) + len(roomy):]
mount("-o", "remount,rw")
held = stretches(daemon.segment, 1, 0)
daemon.stop()
daemon = Daemon(place)
daemon.settle()
kept = stretches(daemon.segment, 1, 0)[: len(held)] == held
print(json.dumps([full, roomy, read_only, len(held), kept, daemon.lines]))
daemon.segment.close()
"""


def test_a_file_system_that_is_full_or_read_only_costs_two_lines_and_no_row(tmp_path: Path) -> None:
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", SCRIPT, str(tmp_path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    full, roomy, read_only, rows, kept, at_last = json.loads(done.stdout)
    folder = tmp_path / "history"
    again = "what is new waits in memory, the next try is in 15 min"
    assert full == [f"{folder} cannot keep history and decisions (No space left on device); {again}"]
    assert roomy == [f"{folder} keeps history and decisions again"]
    assert read_only == [f"{folder} cannot keep history and decisions (Read-only file system); {again}"]
    assert (rows > 100, kept, at_last) == (True, True, [])
