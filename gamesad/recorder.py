"""``gamesad --record FILE``: writes a recording until its time is over or a signal comes, and says what is in it."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

from gamesad.errors import Failed, GamesadError, UsageError
from gamesad.machine import describe, open_sysfs
from gamesad.recording.capture import Capture, Totals
from gamesad.recording.scrub import of_this_machine

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
DURATION_S = 60.0
_PERIOD_S = 1.0


def run(options: argparse.Namespace) -> int:
    """The exit status. What is told goes to stderr, the summary to stdout."""
    duration_s = options.duration or DURATION_S
    try:
        with ExitStack() as stack:
            sysfs = open_sysfs(options, stack)
            handle = stack.enter_context(_created(options.record))
            capture = Capture(sysfs, lambda data: _write(handle, options.record, data), of_this_machine(sysfs))
            machine = describe(capture.sysfs)
            print(f"gamesad: recording {machine} for {duration_s:g} s into {options.record}", file=sys.stderr)
            with _stop_signals() as stopped:
                taken_s = _record(capture, machine, duration_s, stopped)
            print(_summary(options.record, taken_s, capture.end()))
    except UsageError as error:
        print(f"gamesad: {error}", file=sys.stderr)
        return EXIT_USAGE
    except GamesadError as error:
        print(f"gamesad: {error}", file=sys.stderr)
        return EXIT_FAILED
    return EXIT_OK


def _record(capture: Capture, machine: str, duration_s: float, stopped: threading.Event) -> float:
    """Samples once a period, at absolute times; how many seconds it took."""
    start_s = time.monotonic()
    capture.begin(machine)
    next_s = start_s + _PERIOD_S
    while next_s <= start_s + duration_s and not capture.full:
        if stopped.wait(max(0.0, next_s - time.monotonic())):
            break
        capture.sample()
        next_s += _PERIOD_S
    return time.monotonic() - start_s


@contextlib.contextmanager
def _created(path: str) -> Iterator[int]:
    """A new file, for its owner alone: root reads what others may not. After sudo it is the caller's."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise UsageError(f"--record: {path} is there already; give another name, or remove it") from None
    except OSError as error:
        raise UsageError(f"--record: {path} cannot be made: {error.strerror}; give another name") from error
    try:
        if os.geteuid() == 0 and os.environ.get("SUDO_UID", "").isdigit():
            os.fchown(handle, int(os.environ["SUDO_UID"]), -1)
        yield handle
    finally:
        os.close(handle)


def _write(handle: int, path: str, data: bytes) -> None:
    """To the kernel, so that what was seen outlives this process however it ends."""
    try:
        while data:
            data = data[os.write(handle, data) :]
    except OSError as error:
        room = "; what is there can be replayed" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise Failed(f"{path} cannot be written: {error.strerror}{room}") from error


@contextlib.contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    stopped = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in numbers}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _summary(path: str, taken_s: float, totals: Totals) -> str:
    size = f"{totals.packed_bytes / 1000:.0f} kB" if totals.packed_bytes >= 1000 else f"{totals.packed_bytes} bytes"
    said = f"{path}: {taken_s:.0f} s, {totals.samples} samples of {totals.files} files, {totals.moving} moved; {size}"
    if totals.refused:
        said += f"\n{totals.refused} files may be read by root only; to have them too: sudo gamesactl record"
    return said + f"\nlook through it before you send it: zcat {path} | less"
