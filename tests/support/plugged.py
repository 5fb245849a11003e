"""What listens in a plug bed: the daemon's own monitor, collector and executor, and what they hold open."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import sys
import threading
import time

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.hardware import ACTUATORS
from gamesad.hardware.base import Actuator
from gamesad.hardware.sysfs import Sysfs
from gamesad.hardware.udev import open_monitor
from gamesad.telemetry.collector import Collector

_WISH = "cpufreq.policy1.scaling_max_freq"


def main(folder: str) -> None:
    monitor, reason = open_monitor()
    assert monitor is not None, reason
    sysfs = Sysfs("/")
    collector = Collector(sysfs)
    executor = Executor(_actuators(sysfs), Baseline.load(folder, folder, sysfs))
    print("ready", flush=True)
    heard: set[str] = set()
    while True:
        ready = select.select([monitor.fileno(), sys.stdin], [], [])[0]
        if monitor.fileno() in ready:
            heard |= monitor.drain()
            continue
        asked = sys.stdin.readline()
        if not asked:
            break
        if asked == "hear\n":
            print("heard", flush=True)
            continue
        collector.rescan()
        executor.rescan(_actuators(sysfs))
        snapshot = collector.sample(time.monotonic())
        executor.apply({_WISH: 1600000} if _WISH in executor.controls.tunables else {})
        _settle(collector)
        told = {
            "heard": sorted(heard),
            "sensors": sorted(name for name in collector.sensors if name.startswith(("hwmon", "power_s", "cpufreq"))),
            "critical": sorted(name for name, sensor in collector.sensors.items() if sensor.critical),
            "lost": sorted(name for name, absence in snapshot.absent.items() if absence.is_fault),
            "written": executor.value(_WISH),
            "descriptors": len(os.listdir("/proc/self/fd")),
            "threads": threading.active_count(),
            "objects": sum(type(thing).__module__.startswith("gamesad") for thing in gc.get_objects()),
        }
        print(json.dumps(told), flush=True)
        heard = set()
    collector.close()
    monitor.close()


def _settle(collector: Collector) -> None:
    """Waits for the threads of sources that left, and clears what only a collection clears."""
    slow = sum(slot.reader is not None for slot in collector._slots)
    deadline_s = time.monotonic() + 2.0
    while threading.active_count() > 1 + slow and time.monotonic() < deadline_s:
        time.sleep(0.001)
    gc.collect()


def _actuators(sysfs: Sysfs) -> list[Actuator]:
    return [actuator for probe in ACTUATORS for actuator in probe(sysfs)]


with contextlib.suppress(KeyboardInterrupt):
    main(sys.argv[1])
