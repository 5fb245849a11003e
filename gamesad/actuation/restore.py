"""``gamesad --restore``: puts the baseline back after a crash or SIGKILL.

Standard library only, and of that little (json is the dearest): systemd runs this at every stop. The rules are
shared with the executor: whose a value is stands in ``entry``, in which order values go back in ``steps``.
"""

from __future__ import annotations

import errno
import os

from gamesad.actuation.entry import ALLOWED, Damaged, boot_id, dump, parse, read_file
from gamesad.actuation.steps import GONE, LATE, Step, absence, carry_out, errno_name
from gamesad.durable import replace

TYPE_CHECKING = False  # typing costs 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable

    from gamesad.actuation.entry import Entry
    from gamesad.hardware.nvidia import PowerLimit

    Value = str | int

FILE = "baseline.json"
_MOST_BOOT_ID = 64
_OTHER_END = {"frequency_minimum": ("min", "max"), "frequency_maximum": ("max", "min")}
"""What to write for what in a file's name to have the other end of its range: scaling_min_freq, rps_min_freq_mhz."""
_NVML = "/nvml/power_limit"
_ASLEEP = ("suspended", "suspending", "resuming")


class Restored:
    """``restored``: the tunables that were written back. ``left``: tunable (or file) → why it was left, a sentence."""

    __slots__ = ("left", "restored")

    def __init__(self, restored: tuple[str, ...] = (), left: dict[str, str] | None = None) -> None:
        self.restored = restored
        self.left = left or {}

    def __repr__(self) -> str:
        return f"Restored({self.restored!r}, {self.left!r})"


def put_back(
    entries: list[Entry],
    read: Callable[[Step], Value],
    write: Callable[[Step, Value], None],
    sibling: Callable[[Step], Value | None],
) -> tuple[Restored, set[str]]:
    """Write the originals back, in reverse, and leave what is somebody else's.

    The set names the entries to keep for a later try: refused, or gone for now. ``entries`` come in the order of
    their first writes; what was only watched goes last, since putting back what moved it usually brings it back.
    """
    left: dict[str, str] = {}
    keep: set[str] = set()
    steps: list[Step] = []
    for entry in sorted(entries, key=lambda entry: (entry.intended is not None, entry.sequence)):
        step = Step(entry.name, entry.role, entry.path, entry.original, entry.original, back=True)
        step.unsure = entry.intended is not None and entry.role in LATE
        try:
            step.now = step.before = read(step)
        except OSError as error:
            keep.add(entry.name)
            left[entry.name] = _unreadable(errno_name(error))
        except ValueError:
            left[entry.name] = "the file no longer holds what the kernel documents"
        else:
            if entry.writer(step.now) == "other":
                left[entry.name] = (
                    f"somebody else set it to {step.now}; it was {entry.original} before gamesad, "
                    f"which set {entry.intended}"
                )
            else:
                steps.append(step)
    carry_out(steps, read, write, sibling)
    for step in steps:
        if step.error:
            keep.add(step.name)
            left[step.name] = step.reason if step.error not in GONE else _unreadable(step.error)
        elif not step.there:
            left[step.name] = f"the kernel keeps {step.now} instead of {step.target}"
    restored = tuple(step.name for step in steps if step.name not in left and step.now != step.before)
    return Restored(restored, left), keep


def _unreadable(cause: str) -> str:
    return absence(cause) if cause in GONE else f"the kernel answers {cause} when it is read"


def restore(runtime_dir: str, state_dir: str, root: str = "/", *, keep: bool = False) -> Restored:
    """Put back what the baseline files of a daemon that is no more still hold, and remove them. Idempotent.

    With ``keep`` they stay as they are: the daemon hangs in a write, which may undo this when it gets through.

    Never raises: a damaged file is set aside as ``baseline.json.damaged`` and named in ``left``, like all that went
    wrong. What was refused stays in the file for the next try.
    """
    tree = _Tree(root)
    boot = tree.boot_id()
    places = {os.path.join(runtime_dir, FILE): boot, os.path.join(state_dir, FILE): None}
    left: dict[str, str] = {}
    from_place: dict[str, list[Entry]] = {}
    for place, boot_of_file in places.items():
        from_place[place], problem = load(place, boot_of_file, tree.root or "/")
        if problem:
            left[place] = problem
    entries = sorted((entry for found in from_place.values() for entry in found), key=lambda entry: entry.sequence)
    tree.paths = {entry.name: entry.path for entry in entries}
    result, unfinished = put_back(entries, tree.read, tree.write, tree.sibling)
    for place, found in from_place.items():
        if keep or place in left:
            continue
        kept = [entry for entry in found if entry.name in unfinished]
        try:
            replace(place, dump(kept, boot_id=boot, root=tree.root or "/") if kept else None)
        except OSError as error:
            left[place] = f"{place} cannot be written: {errno_name(error)}"
    return Restored(result.restored, {**left, **result.left})


class _Tree:
    """The machine's files without the daemon's own reader, which costs 40 ms to import. ``paths``: tunable → file."""

    def __init__(self, root: str) -> None:
        self.root = "" if root == "/" else os.path.realpath(root)
        self.paths: dict[str, str] = {}

    def boot_id(self) -> str:
        try:
            with open(f"{self.root}/proc/sys/kernel/random/boot_id", encoding="ascii", errors="replace") as file:
                return boot_id(file.read(_MOST_BOOT_ID))
        except OSError:
            return ""

    def read(self, step: Step) -> Value:
        if self.paths[step.name].endswith(_NVML):
            return self._nvml(step).read_mw()
        text = self._text(self.paths[step.name])
        return int(text) if isinstance(step.target, int) else text

    def write(self, step: Step, value: Value) -> None:
        if self.paths[step.name].endswith(_NVML):
            return self._nvml(step).write_mw(int(value))
        flags = os.O_WRONLY | os.O_CLOEXEC | os.O_TRUNC | os.O_NOCTTY
        handle = os.open(self._inside(self.paths[step.name]), flags)
        try:
            os.write(handle, str(value).encode())
        finally:
            os.close(handle)
        return None

    def sibling(self, step: Step) -> Value | None:
        if step.role not in _OTHER_END:
            return None
        file = self.paths[step.name].rpartition("/")[2].replace(*_OTHER_END[step.role])
        try:
            return int(self._text(f"{step.group}/{file}"))
        except (OSError, ValueError):
            return None

    def _text(self, path: str) -> str:
        handle = os.open(self._inside(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            return os.read(handle, 4096).decode(errors="replace").strip()
        finally:
            os.close(handle)

    def _inside(self, path: str) -> str:
        """The path without links, if that is where tunables may stand, and not of a PCI device that sleeps."""
        real = os.path.realpath(self.root + path)
        if not real.startswith(tuple(self.root + place for place in ALLOWED)):
            raise OSError(errno.EXDEV, "leads out of the places where tunables stand", path)
        folder = real
        while (folder := os.path.dirname(folder)) not in (self.root, "/"):
            if os.path.basename(folder).count(":") == 2 and _sleeps(folder):
                raise OSError(errno.EHOSTDOWN, "it sleeps", path)
        return real

    def _is_here(self) -> bool:
        return not self.root

    def _nvml(self, step: Step) -> PowerLimit:
        """The card's power limit, which has no file. The library is only looked for where there is such an entry."""
        device = self._inside(self.paths[step.name]).removesuffix(_NVML)
        if not self._is_here():
            raise OSError(errno.ENODEV, "a recorded tree has no NVML", device)
        from gamesad.hardware.gpu import power_limit  # noqa: PLC0415 - dear, and only for NVIDIA

        return power_limit(os.path.basename(device))


def _sleeps(device: str) -> bool:
    try:
        with open(f"{device}/power/runtime_status", encoding="ascii", errors="replace") as file:
            return file.read(_MOST_BOOT_ID).strip() in _ASLEEP
    except OSError:
        return False


def load(place: str, boot: str | None, root: str) -> tuple[list[Entry], str]:
    """The entries of one baseline file, and a sentence when it could not be used. A damaged file is set aside."""
    try:
        data = read_file(place)
        return (parse(data, boot_id=boot, root=root) if data is not None else []), ""
    except Damaged as error:
        return [], f"{place} is of no use: {error}; {_set_aside(place)}"
    except OSError as error:
        return [], f"{place} cannot be read: {errno_name(error)}; nothing was put back from it"


def _set_aside(place: str) -> str:
    try:
        os.replace(place, f"{place}.damaged")
    except OSError as error:
        return f"nothing was put back from it, and it cannot be set aside ({errno_name(error)})"
    return f"nothing was put back from it, and it was set aside as {FILE}.damaged"
