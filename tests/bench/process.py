"""The real daemon from outside: what it costs while nothing happens, the memory it holds, and how soon it is ready."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench import daemon, floors, trees
from tests.bench.harness import Effort, Row, cpu_seconds, interleave, median, quantile
from tests.bench.subject import collector
from tests.support.private_bus import ROOT, PrivateBus, system_bus

_SETTLE_S = 12
"""Past the first reads of everything, the first announcements on the bus, and one slow round."""
_FIXED_RATE = "[daemon]\ntick_fastest_s = 1.0\ntick_slowest_s = 1.0\n"
_NEAR_C = 83.0
"""Within 15 °C of the limit of 95 °C (100 °C less the margin): every tick reads everything, nothing is held back."""
_IMPORT = """
import contextlib, importlib
for name in {}:
    with contextlib.suppress(ImportError):  # optional parts that are not installed were looked for, too
        importlib.import_module(name)
print(flush=True)
input()
"""


def idle(effort: Effort) -> Iterator[Row]:
    """CPU time while nothing happens: adaptive, at a fixed 1 Hz, and the C loop, all during the same seconds."""
    seconds = effort.of(60, 20)
    with ExitStack() as stack:
        quiet, near = (trees.whole_machine(stack.enter_context(trees.folder()), package_c=c) for c in (45.0, _NEAR_C))
        stack.enter_context(_pulse(quiet, near))
        buses = [stack.enter_context(system_bus(polkit=False)) for _ in range(2)]
        (near / "fixed.toml").write_text(_FIXED_RATE)
        adaptive = stack.enter_context(daemon.running(quiet, buses[0]))
        fixed = stack.enter_context(daemon.running(near, buses[1], "--config", str(near / "fixed.toml")))
        floor_pid, count = stack.enter_context(_floor_loop(quiet))
        time.sleep(_SETTLE_S)
        pids = (adaptive.pid, fixed.pid, floor_pid)
        before, started_s = [cpu_seconds(pid) for pid in pids], time.monotonic()
        time.sleep(seconds)
        took_s = time.monotonic() - started_s
        ours, at_1_hz, floor = (
            (cpu_seconds(pid) - used_s) / took_s * 100 for pid, used_s in zip(pids, before, strict=True)
        )
    note = f"{count} sensors, {seconds} s; % of one core, private bus, no client"
    yield Row("CPU while idle ÷ C loop at 1 Hz", ours, "%", floor, 4, 1, note)
    note = f"near a limit, so everything is read each second; {at_1_hz / floor:.1f} times the C loop"
    yield Row("CPU at a fixed 1 Hz, % of a core", at_1_hz, "%", must=0.4, aim=0.15, note=note)


def memory(effort: Effort) -> Iterator[Row]:
    """Anonymous memory of the daemon after some ticks, against an interpreter that has imported the same modules."""
    with trees.folder() as root, system_bus(polkit=False) as bus:
        trees.whole_machine(root)
        modules = _imported(root, bus)
        ours, theirs = [], []
        for _ in range(effort.of(3, 2)):
            with daemon.running(root, bus) as one:
                time.sleep(effort.of(10, 4))
                ours.append(anonymous_mib(one.pid))
            theirs.append(_imports_alone_mib(modules))
    note = f"{len(modules)} modules; Anonymous of smaps_rollup, {effort.of(10, 4)} s after READY"
    yield Row("resident anonymous memory ÷ imports alone", median(ours), "MiB", median(theirs), 1.25, 1.1, note)


def start(effort: Effort) -> Iterator[Row]:
    """From fork to READY=1, files in the page cache, with the bus."""
    with trees.folder() as root, system_bus(polkit=False) as bus:
        trees.whole_machine(root)

        def once() -> float:
            with daemon.running(root, bus) as one:
                return one.ready_s

        (seconds,) = interleave(effort.of(20, 5), once, warm_up=2)
    note = f"worst of {len(seconds)}: {max(seconds):.3f} s; p90 {quantile(seconds, 0.9):.3f} s"
    yield Row("daemon start to READY, warm", median(seconds), "s", must=0.6, aim=0.3, note=note)


@contextmanager
def _pulse(*roots: Path) -> Iterator[None]:
    """What moves on a quiet machine: CPU time by 1 % of each second, and 5 W on the energy counters."""
    ended = threading.Event()

    def beat() -> None:
        handles = {path: [os.open(f"{root}{path}", os.O_WRONLY) for root in roots] for path in trees.MOVING}
        halves = 0
        while not ended.wait(0.5):
            halves += 1
            for path, text in trees.moving(halves / 2).items():
                for handle in handles[path]:
                    os.pwrite(handle, text.encode(), 0)
        for handle in (handle for group in handles.values() for handle in group):
            os.close(handle)

    beating = threading.Thread(target=beat)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()


@contextmanager
def _floor_loop(root: Path) -> Iterator[tuple[int, int]]:
    """c/idle.c on every sensor that the collector finds under ``root``; its process id and their number."""
    with collector(root) as reading:
        paths = [f"{root}{sensor.path}" for sensor in reading.sensors.values()]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([floors.program("idle", folder), *paths])
        try:
            yield process.pid, len(paths)
        finally:
            process.terminate()
            process.wait()


def _imported(root: Path, bus: PrivateBus) -> list[str]:
    """The modules that the daemon imports by the time it serves, in order."""
    command = daemon.command(root, "--duration", "6", python=["-X", "importtime"])  # numpy comes after READY
    ran = subprocess.run(command, cwd=ROOT, env=bus.environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"gamesad ended with {ran.returncode}: {ran.stderr[-2000:]}")
    return re.findall(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", ran.stderr, flags=re.MULTILINE)


def _imports_alone_mib(modules: Sequence[str]) -> float:
    """What an interpreter holds that has imported the modules and does nothing."""
    command = [sys.executable, "-c", _IMPORT.format(list(modules))]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the daemon's modules cannot be imported by themselves")
        held = anonymous_mib(process.pid)
        process.kill()
    return held


def anonymous_mib(pid: int) -> float:
    found = re.search(r"^Anonymous:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), flags=re.MULTILINE)
    if not found:
        raise RuntimeError("this kernel does not tell anonymous memory in smaps_rollup")
    return int(found[1]) / 1024
