"""Which machine this is: the running one, a recorded tree or a simulated one; and whether it may be written to."""

from __future__ import annotations

import argparse
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from gamesad import __version__
from gamesad.config import Config
from gamesad.crystal.core import Place
from gamesad.errors import Failed, UsageError
from gamesad.hardware.sysfs import Sysfs, errno_name
from gamesad.types import Controls

_RIVALS = frozenset(
    {
        "auto-cpufreq",
        "power-profiles-daemon",
        "system76-power",
        "thermald",
        "tlp",
        "tuned",
        "tuned-ppd",
        "slimbookbattery",
    }
)
_STALE_S = 10.0
_DMI = "/sys/class/dmi/id"
_MODEL = "/proc/device-tree/model"


def open_sysfs(options: argparse.Namespace, stack: ExitStack) -> Sysfs:
    """The files of the machine; UsageError when there is no such simulated one, or a recording cannot be replayed.

    These two keep nothing: their folders are temporary unless they were given.
    """
    if options.simulate is not None:
        sysfs = _simulated(options)
    elif os.path.isfile(options.root):
        sysfs = _recorded(options)
    else:
        return Sysfs(options.root)
    if not (options.runtime_dir and options.state_dir):
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gamesad-simulated-"))
        options.runtime_dir = options.runtime_dir or folder
        options.state_dir = options.state_dir or folder
    return sysfs


def _simulated(options: argparse.Namespace) -> Sysfs:
    from gamesad.simulation import open_machine  # noqa: PLC0415 - only where it is asked for

    try:
        return open_machine(options.simulate).sysfs
    except Failed as error:
        raise UsageError(f"--simulate: {error}") from error


def _recorded(options: argparse.Namespace) -> Sysfs:
    """A replay, which ends with its recording; one that holds a single moment lasts."""
    from gamesad.recording.load import load  # noqa: PLC0415 - as above
    from gamesad.recording.replay import Replay  # noqa: PLC0415 - as above

    try:
        recording = load(options.root)
    except Failed as error:
        raise UsageError(f"--root: {error}") from error
    if 0 < recording.duration_s <= (options.duration or recording.duration_s):
        options.duration = recording.duration_s
        options.ending = f"the recording ends here, after {recording.duration_s:.0f} s"
        options.ending += "" if recording.complete else ", where its recorder was stopped"
    return Replay(recording).sysfs


def describe(sysfs: Sysfs) -> str:
    """The machine's name for people; a simulated or recorded one says that it is."""
    if sysfs.simulated:
        return str(getattr(sysfs, "description", "simulated"))
    vendor, product = (_text(sysfs, f"{_DMI}/{name}") for name in ("sys_vendor", "product_name"))
    return f"{vendor} {product}".strip() or _text(sysfs, _MODEL) or "unknown machine"


def shared_memory(options: argparse.Namespace, config: Config, sysfs: Sysfs, *, keeps: bool) -> Place | None:
    """Where clients read everything; None where there is to be none. ``keeps``: history also goes to the disk."""
    if not options.shm or "crystal" in options.without:
        return None
    return Place(
        options.shm,
        __version__,
        describe(sysfs),
        sysfs.simulated,
        stale_after_s=max(_STALE_S, 5 * config.daemon.tick_slowest_s),
        history_dir=os.path.join(options.state_dir, "history") if keeps else "",
    )


def why_observe(options: argparse.Namespace, config: Config, sysfs: Sysfs) -> str:
    """Why nothing is to be written; empty when it may."""
    if options.observe:
        return "asked to with --observe"
    if config.daemon.observe:
        return "asked to by the configuration (daemon.observe)"
    if not sysfs.simulated and options.root == "/" and os.geteuid() != 0:
        return "not running as root"
    return ""


def why_unwritable(controls: Controls, sysfs: Sysfs) -> str:
    """Why none of the tunables there are can be written (a container, a read-only /sys); empty when one can."""
    paths = [path for tunable in controls.tunables.values() if sysfs.exists(path := tunable.path)]  # NVML has no files
    if paths and not any(sysfs.writable(path) for path in paths):
        return "everything that could be set is read-only here"
    return ""


@contextmanager
def lock(runtime_dir: str) -> Iterator[None]:
    """Holds the baseline's folder for this process alone: two daemons would each take the other's values for found.

    The file says who holds it, for ``gamesad --restore``.
    """
    path = os.path.join(runtime_dir, "lock")
    try:
        os.makedirs(runtime_dir, mode=0o755, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failed(
            f"{path}: {errno_name(error)}: without a place to keep what was found, nothing may be written;"
            " name one with --runtime-dir, or use --observe"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(OSError):  # /run is full: then no baseline can be written, so the machine will not be either
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
        yield
    except BlockingIOError as error:
        raise Failed(f"another gamesad runs on this machine ({path} is locked); stop it first") from error
    finally:
        os.close(handle)


def running_rivals() -> list[str]:
    """The programs known to set the same tunables that run now, as far as this process may see others."""
    try:
        import psutil  # noqa: PLC0415 - 30 ms, for a case that most machines never see
    except ImportError:
        return []
    names = {process.info["name"] for process in psutil.process_iter(["name"])}
    return sorted(names & _RIVALS)


def _text(sysfs: Sysfs, path: str) -> str:
    try:
        return sysfs.read(path).rstrip("\0")
    except OSError:
        return ""
