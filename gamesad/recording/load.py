"""A recording from its file: everything checked, nothing trusted, cut off anywhere and still good for what it holds."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from gamesad.errors import Failed
from gamesad.recording.lines import FIRST, LAST, Entry, Wrong, check_first, entry, time_s, unescape

MOST_BYTES = 64 << 20
MOST_LINES = 2_000_000
LONGEST_LINE = 64 << 10
"""Unpacked. An hour of a large machine is less; a file made to fill memory or time ends here."""
_CHUNK = 1 << 16
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen for the first time, or had changed, at ``at_s`` seconds after the start."""

    at_s: float
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """``samples`` begin with the whole tree. ``complete``: the recorder itself ended it."""

    machine: str
    made_by: str
    samples: tuple[Sample, ...]
    complete: bool

    @property
    def duration_s(self) -> float:
        return self.samples[-1].at_s


def load(path: str) -> Recording:
    """Raises Failed with one sentence: file, line, what is wrong, what to do."""
    try:
        with _open(path) as file:
            return _parse(path, file)
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}; is that the file?") from error


def _open(path: str) -> BinaryIO:
    # O_NONBLOCK: a pipe in place of the file must not hang the start
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Failed(f"{path} is not a plain file; name a recording or a folder that holds sys/ and proc/")
    return os.fdopen(handle, "rb")


def _parse(path: str, file: BinaryIO) -> Recording:
    parser = _Parser()
    number = 0
    try:
        for number, line in enumerate(_lines(file), 1):
            if number == 1:
                check_first(line)
            else:
                parser.take(line)
    except Wrong as wrong:
        raise Failed(f"{path}: line {number}: {wrong}") from None
    if number == 0:
        raise Failed(f'{path} holds not one whole line ("{FIRST}" comes first): the recorder was stopped at its start')
    return parser.result()


class _Parser:
    """Line after line; every method that takes one raises Wrong."""

    def __init__(self) -> None:
        self._facts = {"machine": "unknown machine", "gamesad": "unknown"}
        self._samples: list[Sample] = []
        self._pending: list[Entry] = []
        self._more: list[bytes] = []  # of the text of the last pending entry
        self._kinds: dict[str, str] = {}
        self._complete = False

    def take(self, line: str) -> None:
        if self._complete:
            raise Wrong(f'"{LAST}" was the last line; was something added to the file?')
        if line.startswith("| "):
            self._go_on(line)
            return
        self._finish()
        keyword, _blank, rest = line.partition(" ")
        if line == LAST:
            self._complete = True
        elif keyword in self._facts:
            self._facts[keyword] = rest
        elif (at_s := time_s(line)) is not None:
            self._close_sample(at_s)
        elif line and not line.startswith("#"):
            self._pending.append(self._placed(entry(line)))

    def result(self) -> Recording:
        """What is whole. A sample without its ``at`` line is not, unless the tree is all there is of it."""
        if not self._samples:  # stopped while it wrote the tree: its last file may lack lines
            self._samples.append(Sample(0.0, tuple(self._pending[:-1])))
        return Recording(self._facts["machine"], self._facts["gamesad"], tuple(self._samples), self._complete)

    def _go_on(self, line: str) -> None:
        if not self._pending or not isinstance(self._pending[-1].content, bytes):
            raise Wrong("there is no text that it could go on with; was the file edited?")
        self._more.append(unescape(line[2:]))

    def _finish(self) -> None:
        if self._more and isinstance(first := self._pending[-1].content, bytes):
            self._pending[-1] = replace(self._pending[-1], content=b"\n".join([first, *self._more]))
            self._more.clear()

    def _close_sample(self, at_s: float) -> None:
        if self._samples and at_s <= self._samples[-1].at_s:
            last_s = self._samples[-1].at_s
            raise Wrong(f"{at_s:.3f} comes after {last_s:.3f}: time goes backwards; was the file edited?")
        self._samples.append(Sample(at_s, tuple(self._pending)))
        self._pending = []

    def _placed(self, found: Entry) -> Entry:
        """Every path is one thing, and only folders hold others."""
        kind = "link" if found.target else "folder" if found.content is None else "file"
        parts = found.path.split("/")
        for end in range(2, len(parts)):
            parent = "/".join(parts[:end])
            if self._kinds.setdefault(parent, "folder") != "folder":
                raise Wrong(f"{parent} is a {self._kinds[parent]}, and something is in it; was the file edited?")
        if self._kinds.setdefault(found.path, kind) != kind:
            raise Wrong(f"{found.path} is a {self._kinds[found.path]} elsewhere; was the file edited?")
        return found


def _lines(file: BinaryIO) -> Iterator[str]:
    """The whole lines; what stands after the last newline was cut off. Raises Wrong."""
    rest = b""
    size = count = 0
    for chunk in _unpacked(file):
        size += len(chunk)
        count += chunk.count(b"\n")
        if size > MOST_BYTES or count > MOST_LINES:
            raise Wrong(
                f"it unpacks to more than {MOST_BYTES >> 20} MiB or {MOST_LINES} lines; record for a shorter time"
            )
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise Wrong(f"the next line is longer than {LONGEST_LINE >> 10} KiB; this is no recording of gamesad")
        for line in whole:
            try:
                yield line.decode()
            except UnicodeDecodeError:
                raise Wrong(
                    "the next line is not UTF-8 text; the file was damaged on its way, ask for it again"
                ) from None


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    """gzip or plain text. Where gzip data simply ends, so does what is given; where they are wrong, Wrong."""
    chunk = file.read(_CHUNK)
    if not _GZIP.startswith(chunk[:2]) or not chunk:
        while chunk:
            yield chunk
            chunk = file.read(_CHUNK)
        return
    stream = zlib.decompressobj(wbits=31)
    try:
        while chunk and not stream.eof:
            yield stream.decompress(chunk, _CHUNK)
            while stream.unconsumed_tail:
                yield stream.decompress(stream.unconsumed_tail, _CHUNK)
            chunk = file.read(_CHUNK)
        yield stream.flush()
    except zlib.error as error:
        where = max(file.tell() - _CHUNK, 0)
        raise Wrong(f"the gzip data after byte {where} are damaged ({error}); ask for the file again") from None
