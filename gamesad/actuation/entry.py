"""One line of the baseline: what a tunable was before us, what we made of it, and whose a value found later is.

Standard library only and cheap to import, because ``gamesad --restore`` uses it. A baseline file that isn't exactly
what was written raises ``Damaged``: nothing is ever written to the kernel from one.
"""

from __future__ import annotations

import json
import os
import stat

TYPE_CHECKING = False  # typing costs 5 ms
if TYPE_CHECKING:
    Value = str | int

VERSION = 1
ALLOWED = ("/sys/devices/", "/sys/class/", "/sys/firmware/acpi/")
"""Where tunables may stand, links resolved."""

_MOST_BYTES = 4 << 20
_MOST_TEXT = 256
_ROUNDING = 0.02


class Damaged(Exception):
    """A baseline file that cannot be trusted; the text is a clause that says why."""


class Entry:
    """{original, intended, last read back} of one tunable.

    ``intended`` is recorded before the write. ``read_back`` is None from then until the write was read back, and
    meanwhile ``previous`` is the one before. An entry that was never ``intended`` is watched: something of ours
    (a platform profile, a governor) moves it. ``sequence`` is the order of the first writes.
    """

    __slots__ = ("intended", "name", "original", "path", "previous", "read_back", "role", "sequence")

    def __init__(self, name: str, path: str, role: str, original: Value, sequence: int) -> None:
        self.name = name
        self.path = path
        self.role = role
        self.original = original
        self.intended: Value | None = None
        self.previous: Value | None = None
        self.read_back: Value | None = None
        self.sequence = sequence

    def copy(self) -> Entry:
        twin = Entry(self.name, self.path, self.role, self.original, self.sequence)
        twin.intended, twin.previous, twin.read_back = self.intended, self.previous, self.read_back
        return twin

    def writer(self, value: Value) -> str:
        """Whose value this is: ``found`` (the original), ``gamesad`` or ``other``.

        After a crash between a write and its reading back, what the kernel made of the value is not recorded: then a
        number counts as ours between the one before and the intended, and within 2 % (RAPL rounds to 1/8 W, cpufreq
        to its steps).
        """
        if value == self.original:
            return "found"
        if value in (self.intended, self.previous, self.read_back):
            return "gamesad"
        if self.read_back is None and (self.intended is None or self._near(value)):
            return "gamesad"
        return "other"

    def _near(self, value: Value) -> bool:
        before = self.original if self.previous is None else self.previous
        if not isinstance(value, int) or not isinstance(before, int) or not isinstance(self.intended, int):
            return False
        low, high = sorted((before, self.intended))
        return low <= value <= high or abs(value - self.intended) <= abs(self.intended) * _ROUNDING

    def to_json(self) -> list[Value | None]:
        return [self.path, self.role, self.original, self.intended, self.previous, self.read_back, self.sequence]


def dump(entries: list[Entry], *, boot_id: str, root: str) -> bytes:
    rows = {entry.name: entry.to_json() for entry in entries}
    text = json.dumps({"version": VERSION, "boot_id": boot_id, "root": root, "entries": rows}, check_circular=False)
    return text.encode() + b"\n"


def read_file(path: str) -> bytes | None:
    """The file's bytes, None when there is none. Damaged: not a plain file of ours, or too large."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise Damaged("it is not a plain file")
        if about.st_uid not in (0, os.geteuid()) or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise Damaged("others may write it")
        if about.st_size > _MOST_BYTES:
            raise Damaged(f"it holds {about.st_size} bytes, more than any baseline")
        data = bytearray()
        while chunk := os.read(handle, 1 << 16):
            data += chunk
    finally:
        os.close(handle)
    return bytes(data)


def parse(data: bytes, *, boot_id: str | None, root: str) -> list[Entry]:
    """The entries, in the order of the first writes; none when the file is from before a reboot.

    ``boot_id`` None: of values that outlive a reboot. Damaged: whatever is not as ``dump`` writes it.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise Damaged("it is not complete JSON") from None
    if not isinstance(content, dict) or not isinstance(content.get("entries"), dict):
        raise Damaged("it does not hold a baseline")
    if content.get("version") != VERSION:
        raise Damaged(f"it is of version {str(content.get('version'))[:20]}, and this is version {VERSION}")
    if content.get("root") != root:
        raise Damaged(f"it belongs to another machine tree ({str(content.get('root'))[:_MOST_TEXT]})")
    entries = [_entry(name, row) for name, row in content["entries"].items()]
    if boot_id is not None and content.get("boot_id") != boot_id:
        return []
    return sorted(entries, key=lambda entry: entry.sequence)


def _entry(name: str, row: object) -> Entry:
    if not isinstance(row, list) or len(row) != 7:
        raise Damaged(f"the entry {name[:_MOST_TEXT]!r} is not complete")
    path, role, original, intended, previous, read_back, sequence = row
    if not _is_text(name) or not _is_text(path) or not _is_text(role) or not isinstance(sequence, int):
        raise Damaged(f"the entry {name[:_MOST_TEXT]!r} is not of the right types")
    if not permitted(path):
        raise Damaged(f"the entry {name!r} names {path!r}, which is no place for a tunable")
    if not all(_is_value(value, like=original) for value in (intended, previous, read_back) if value is not None):
        raise Damaged(f"the entry {name!r} has values of the wrong type")
    if not _is_value(original, like=original):
        raise Damaged(f"the entry {name!r} has no original value")
    entry = Entry(name, path, role, original, sequence)
    entry.intended, entry.previous, entry.read_back = intended, previous, read_back
    return entry


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MOST_TEXT and value.isprintable()


def _is_value(value: object, *, like: object) -> bool:
    if isinstance(like, str):
        return _is_text(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63


def permitted(path: str) -> bool:
    """Whether the text of a path may name a tunable. Links in it are looked at when the file is opened."""
    return path.startswith(ALLOWED) and os.path.normpath(path) == path


def boot_id(text: str) -> str:
    """Of the text of /proc/sys/kernel/random/boot_id; empty where there is none."""
    text = text.strip()
    return text if _is_text(text) else ""
