"""What prediction gains and costs on three access traces, and what the pool's tiers hold over a day.

Time between accesses is made up, so that blocks are frozen again by the rules as they come; reads, thawing, freezing
and learning are real and measured.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gamesad.crystal import layout
from gamesad.crystal.layout import COLD, TIERS
from gamesad.crystal.pool.pool import Block, Pool
from gamesad.crystal.segment import Segment
from gamesad.crystal.tiering.keeper import REVIEW_S, Keeper
from gamesad.crystal.tiering.prefetch import Budget
from gamesad.crystal.tiering.tiers import Settings
from tests.bench.harness import Effort, Row
from tests.crystal import traces

_SIZE = 64 << 10
_BLOCKS = 48
_BETWEEN_S = 60.0
"""Between two accesses: a block is read again after most of an hour, and was frozen after four minutes."""
_BUDGET_S = 0.002
_DAY_S = 86400
_RECORDINGS = Path(os.environ.get("GAMESAD_RECORDINGS", Path(__file__).parents[2] / ".." / "shared" / "recordings"))


@dataclass(frozen=True, slots=True)
class Run:
    """Means per access, CPU time of everything, thawing ahead and the daemon's reads included."""

    read_us: float
    cpu_us: float
    resident: float
    ahead: float
    """Bytes that lay there thawed and not yet read."""
    hits: float
    wasted: int


def prediction(effort: Effort) -> Iterator[Row]:
    """Mean time of a read, with ÷ without prediction, learning included."""
    rounds = effort.of(24, 12)
    cases = {"repeating": traces.repeating(_BLOCKS, rounds * _BLOCKS), "random": traces.at_random(_BLOCKS, 600)}
    if _RECORDINGS.is_dir():
        cases |= {
            f"recorded ({name})": trace for name, trace in traces.recorded(_RECORDINGS).items() if len(trace) > 99
        }
    for name, trace in cases.items():
        runs = [(_replay(trace, Budget()), _replay(trace, None)) for _ in range(effort.of(3, 1))]
        ours, without = (sorted(run, key=lambda one: one.read_us)[len(run) // 2] for run in zip(*runs, strict=True))
        must, aim = {"repeating": (0.3, 0.2), "random": (1.15, 1.05)}.get(name, (None, None))
        note = (
            f"{len(trace)} reads of {len(set(trace))} blocks: {ours.hits:.0%} thawed ahead, {ours.wasted} for nothing; "
            f"all CPU a read {ours.cpu_us:.0f} µs, without {without.cpu_us:.0f}; held {ours.resident / 1024:.0f} KiB, "
            f"without {without.resident / 1024:.0f}, of it thawed ahead {ours.ahead / 1024:.0f}"
        )
        yield Row(f"read with prediction ÷ without, {name}", ours.read_us, "µs", without.read_us, must, aim, note)


def day(_: Effort) -> Iterator[Row]:
    """Memory that the blocks take over a day, ÷ the same blocks without tiers."""
    held: list[int] = []
    plain: list[int] = []
    by_tier: list[list[int]] = []
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        made, pool, keeper = _keeper(folder, Budget())
        life = _Life(pool)
        began_s = time.thread_time()
        for now_s in range(0, _DAY_S, int(REVIEW_S)):
            life.go_on(now_s)
            keeper.maintain(float(now_s), _BUDGET_S)
            blocks = pool.blocks()
            held.append(sum(block.units << 6 for block in blocks))
            plain.append(sum(block.size + layout.BLOCK_HEAD for block in blocks))
            if now_s % (_DAY_S // 4) == _DAY_S // 4 - int(REVIEW_S):
                told = pool.statistics()
                by_tier.append([told[f"{tier}_bytes"] >> 10 for tier in TIERS])
        took_s = time.thread_time() - began_s
        made.close()
    shown = "; ".join(f"{6 * (n + 1)} h {'/'.join(map(str, kib))}" for n, kib in enumerate(by_tier))
    note = (
        f"{'/'.join(TIERS)} KiB after {shown}; at most {max(held) >> 10} of {max(plain) >> 10}; {took_s:.1f} s of CPU"
    )
    mib = 1 << 20
    yield Row(
        "pool held over a day ÷ without tiers",
        statistics.fmean(held) / mib,
        "MiB",
        statistics.fmean(plain) / mib,
        note=note,
    )


def _replay(trace: Sequence[int], budget: Budget | None) -> Run:
    """Reads the whole trace, with ``budget`` for prediction or without any."""
    chance = random.Random(1)
    reads_s, now_s = 0.0, 0.0
    held, ahead = [], []
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        made, pool, keeper = _keeper(folder, budget)
        blocks = {number: _stored(pool, _recording(chance, _SIZE)) for number in sorted(set(trace))}
        while now_s < 600 or any(block.tier != layout.FROZEN for block in blocks.values()):
            now_s += REVIEW_S
            keeper.maintain(now_s, 1.0)
        before_s = time.process_time()
        for number in trace:
            began_s = time.thread_time()  # it waits for nothing, and others run on this machine
            pool.read(blocks[number])
            reads_s += time.thread_time() - began_s
            for _ in range(int(_BETWEEN_S / REVIEW_S)):
                now_s += REVIEW_S
                keeper.maintain(now_s, _BUDGET_S)
            told = keeper.statistics()
            held.append(float(told["resident_bytes"]))
            ahead.append(float(told["prefetch_resident_bytes"]))
        cpu_s = time.process_time() - before_s
        hits, wasted = pool.counters["prefetch_hits"], keeper.statistics()["prefetch_wasted"]
        made.close()
    count = len(trace)
    return Run(
        reads_s / count * 1e6,
        cpu_s / count * 1e6,
        statistics.fmean(held),
        statistics.fmean(ahead),
        hits / count,
        int(wasted),
    )


class _Life:
    """What a daemon keeps: weights that it reads all the time, calibration, read now and then, a recording every two
    hours, and episodes of ten minutes, which are read again at night."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._chance = pool, random.Random(2)
        self._weights = _stored(pool, self._chance.randbytes(512 << 10))
        self._calibration = [_stored(pool, _recording(self._chance, 4096)) for _ in range(20)]
        self._episodes: list[Block] = []

    def go_on(self, now_s: int) -> None:
        pool, chance = self._pool, self._chance
        for _ in range(2):
            pool.read(self._weights)
        if now_s % 600 == 0:
            self._episodes.append(_stored(pool, _recording(chance, _SIZE)))
            pool.read(chance.choice(self._calibration))
        if now_s % 7200 == 3600:
            _stored(pool, _recording(chance, 256 << 10), COLD)
        if _DAY_S // 8 <= now_s < _DAY_S // 6:
            pool.read(chance.choice(self._episodes))


def _keeper(folder: str, budget: Budget | None) -> tuple[Segment, Pool, Keeper]:
    rings = ((60, 1), (60, 10), (60, 300))
    made = Segment.create(
        f"{folder}/gamesad", columns=8, tunables=8, version="bench", simulated=True, pool_max=256 << 20,
        stale_after_s=60, rings=rings,
    )  # fmt: skip
    pool = Pool(made)
    return made, pool, Keeper(pool, Settings(prefetch=budget))


def _stored(pool: Pool, data: bytes, tier: int = layout.WARM) -> Block:
    block = pool.allocate(len(data), tier, "bench")
    pool.write(block, data)
    return block


def _recording(chance: random.Random, size: int) -> bytes:
    """JSON of readings as they move: no two alike."""
    lines, length, temp_c, power_w = [], 0, 60.0, 40.0
    while length < size:
        temp_c += chance.gauss(0, 0.7)
        power_w += chance.gauss(0, 2)
        reading = {
            "thermal.acpitz": round(temp_c, 1),
            "powercap.package-0": round(power_w, 1),
            "cpu.load": chance.random(),
        }
        lines.append(json.dumps({"time": 1.8e9 + len(lines), **reading}))
        length += len(lines[-1])
    return "\n".join(lines).encode()[:size]
