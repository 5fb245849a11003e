"""The writer is killed at random moments of all that it does; the next finds everything but the version in flight."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from gamesad.crystal import layout
from gamesad.crystal.history.history import History
from gamesad.crystal.pool.pool import Pool
from gamesad.crystal.reader import attach
from gamesad.crystal.telemetry import Telemetry
from tests.crystal import publishing, stress
from tests.crystal.stress import PHASES, Ledger

ROOT = Path(__file__).parents[2]
LONGEST_S = 0.08


def killed(folder: str, seed: int, after_s: float, variant: str = "right") -> None:
    command = [sys.executable, "-m", "tests.crystal.stress", folder, str(seed), variant]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"r"
        time.sleep(after_s)
        assert process.poll() is None, "it ended by itself"
        process.send_signal(signal.SIGKILL)


def check_pool(pool: Pool, ledger: Ledger) -> None:
    """Every block that was whole is there, with contents of its last version; one may be of before or after."""
    phase, at_hand = PHASES[ledger.words[Ledger.PHASE]], ledger.words[Ledger.BLOCK]
    expected = ledger.versions()
    found = {}
    for block in pool.blocks():
        data = pool.read(block)
        identity, version = stress.version_of(data)
        assert identity == block.id
        assert data == stress.contents(identity, version, block.size), f"block {identity} has bytes of another version"
        found[identity] = version
    before = expected.pop(at_hand, 0)
    possible = {"first write": (0, 1), "rewrite": (before, before + 1), "free": (before, 0)}.get(phase, (before,))
    assert found.pop(at_hand, 0) in possible, f"block {at_hand} while {phase}"
    assert found == expected


def check_telemetry(telemetry: Telemetry, ledger: Ledger, path: str) -> None:
    with attach(path) as crystal:
        if not ledger.words[Ledger.TICK]:
            return
        latest = crystal.latest()
        assert latest.tick - ledger.words[Ledger.TICK] in (0, 1)
        assert set(latest.values.values()) == {float(latest.tick)}
        assert telemetry.decision_number - ledger.words[Ledger.DECISION] in (0, 1)


def check_history(history: History, ledger: Ledger) -> None:
    """Of the samples pushed only the last may be no row yet."""
    rows = [row.values[1] for row in history.rings[0].rows(0)]
    newest, pushed = (rows or [0.0])[-1], ledger.words[Ledger.SAMPLES]
    assert pushed - 1 <= newest <= max(pushed, 0) or not pushed
    assert rows == [newest - back for back in reversed(range(len(rows)))]
    assert len(rows) >= min(pushed - 1, publishing.RINGS[0][0] - 2)


def take_over(folder: str) -> None:
    """What the next daemon does; it must find nothing that is not whole."""
    ledger, path = Ledger(folder), f"{folder}/segment"
    made = stress.segment(folder)
    telemetry, history, pool, previous = Telemetry(made), History(made), Pool(made), made.previous
    assert previous is not None, made.set_aside
    history.grow()
    assert telemetry.take_over(previous)[1] == 0
    assert history.recover(previous, {column: column for column in range(publishing.COLUMNS)}).dropped == 0
    section = previous.section(layout.POOL)
    if section:
        with memoryview(previous.memory)[section[0] : sum(section)] as found:
            recovered, discarded = pool.recover(found)
        assert (recovered, discarded) == (len(pool.blocks()), 0)
    check_telemetry(telemetry, ledger, path)
    check_history(history, ledger)
    check_pool(pool, ledger)
    made.publish()
    assert pool.seal(10.0) == 0
    with attach(path) as crystal:
        assert {one.id for one in crystal.blocks()} == {one.id for one in pool.blocks()}
    made.close()


def kills(folder: str, seed: int, number: int, variant: str = "right") -> tuple[Counter[str], int]:
    """Kills by phase, and the operations done until then."""
    moments, operations = random.Random(seed), 0
    phases: Counter[str] = Counter()
    for kill in range(number):
        after_s = moments.uniform(0.0, LONGEST_S)
        ledger = Ledger(folder, make=True)
        try:
            killed(folder, seed + kill, after_s, variant)
            take_over(folder)
        except BaseException as error:
            phase = PHASES[ledger.words[Ledger.PHASE]]
            error.add_note(f"seed {seed}, kill {kill} after {after_s:.4f} s while {phase}")
            raise
        phases[PHASES[ledger.words[Ledger.PHASE]]] += 1
        operations += ledger.words[Ledger.OPERATIONS]
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
    return phases, operations


@pytest.mark.parametrize("number", [100, pytest.param(1000, marks=pytest.mark.full)])
def test_a_writer_killed_at_any_moment_loses_the_version_in_flight_and_nothing_else(shm: str, number: int) -> None:
    seed = random.randrange(1 << 32)
    phases, operations = kills(shm, seed, number)
    print(f"seed {seed}: {number} kills in {operations} operations, by phase: {dict(phases.most_common())}")
    assert len(phases) >= 6
    assert operations > 20 * number


def test_a_pool_that_overwrites_what_is_there_is_caught(shm: str) -> None:
    with pytest.raises(AssertionError) as found:
        kills(shm, 1, 200, "in place")
    print(*found.value.__notes__)
