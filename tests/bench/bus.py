"""What clients wait for: GetStatus against the same service in C, and the command line against a bare interpreter."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench import daemon, floors, trees
from tests.bench.harness import Effort, Measurement, Row, interleave, median, quantile
from tests.support.private_bus import ROOT, PrivateBus, system_bus


def status(effort: Effort) -> Iterator[Row]:
    """One C client calls GetStatus on the daemon and on the C service in turn, each on a bus of its own."""
    yield from _status("", trees.whole_machine, effort.of(10_000, 2000))
    yield from _status(", 8 sensors", lambda root: trees.sensor_files(root, 8), effort.of(10_000, 2000))


def command(effort: Effort) -> Iterator[Row]:
    """``gamesactl status`` from the segment and over the bus, against an interpreter that does nothing."""
    with ExitStack() as stack:
        root = trees.whole_machine(stack.enter_context(trees.folder()))
        shm = root.parent / f"{root.name}.segment"
        bus = stack.enter_context(system_bus(polkit=False))
        stack.enter_context(daemon.running(root, bus, "--shm", str(shm)))
        _wait_for(shm)
        bare = [sys.executable, "-I", "-S", "-c", "pass"]
        packaged, with_site = (
            [sys.executable, options, "-c", _PROGRAM.format(ROOT), "status"] for options in ("-IS", "-I")
        )
        lines = [packaged, bare, [*packaged, "--json"], with_site]
        programs = [run_ms(line, bus, GAMESAD_SHM=str(shm)) for line in lines] + [run_ms(with_site, bus)]
        peer = shutil.which("powerprofilesctl")
        programs += [run_ms([peer, "version"], bus)] if peer else []
        status, nothing, json, of_wheel, asked, *other = (
            median(values) for values in interleave(effort.of(40, 8), *programs)
        )
    name = "gamesactl status"
    yield Row(f"{name} ÷ python3 -I -S -c pass", status, "ms", nothing, 2.5, 1.5, "as the Debian package starts it")
    yield Row("  with --json", json, "ms", nothing)
    yield Row("  as a wheel's program, with site", of_wheel, "ms", nothing, 2.5)
    yield Row("  over D-Bus, where there is no segment", asked, "ms", nothing)
    if other:
        yield Row(f"{name} ÷ powerprofilesctl version", status, "ms", other[0])


_PROGRAM = "import sys; sys.path.append('{}'); from gamesactl.__main__ import run; run()"


def _wait_for(shm: Path) -> None:
    """The first tick in the segment; RuntimeError where none comes."""
    end_s = time.monotonic() + daemon.READY_WITHIN_S
    while not shm.exists():
        if time.monotonic() > end_s:
            raise RuntimeError(f"no segment came to {shm}")
        time.sleep(0.05)


def run_ms(program: Sequence[str], bus: PrivateBus, **environment: str) -> Measurement:
    """Milliseconds of one run of a program to its end; RuntimeError when it fails."""
    surroundings = {**bus.environment, **environment}

    def measure() -> float:
        started_ns = time.perf_counter_ns()
        ran = subprocess.run(program, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
        took_ms = (time.perf_counter_ns() - started_ns) / 1e6
        if ran.returncode:
            raise RuntimeError(f"{' '.join(program)} ended with {ran.returncode}: {ran.stderr}")
        return took_ms

    return measure


def _status(where: str, build: Callable[[Path], Path], calls: int) -> Iterator[Row]:
    with ExitStack() as stack:
        root = build(stack.enter_context(trees.folder()))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        buses = [stack.enter_context(system_bus(polkit=False)) for _ in range(2)]
        stack.enter_context(daemon.running(root, buses[0]))
        stack.enter_context(_floor_service(folder, buses))
        client = floors.program("client", folder, libraries=["systemd"])
        arguments = [client, str(calls), *(bus.address for bus in buses)]
        ran = subprocess.run(arguments, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise RuntimeError(f"the client failed: {ran.stderr}")
    pairs = [[int(text) / 1e3 for text in line.split()] for line in ran.stdout.splitlines()]
    ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
    note = f"{calls} calls each in turn; the C service marshals the same dictionary anew each time"
    p99 = quantile(ours, 0.99), quantile(theirs, 0.99)
    yield Row(f"GetStatus p99{where} ÷ C service on sd-bus", p99[0], "µs", p99[1], 5, 3, note)
    yield Row(f"  GetStatus p50{where}", median(ours), "µs", median(theirs))


@contextmanager
def _floor_service(folder: str, buses: Sequence[PrivateBus]) -> Iterator[None]:
    """c/service.c, which learns from the daemon on the first bus what to answer on the second."""
    service = floors.program("service", folder, libraries=["systemd"])
    with subprocess.Popen([service, *(bus.address for bus in buses)], stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise RuntimeError("the floor of GetStatus does not serve")
            yield
        finally:
            process.terminate()
