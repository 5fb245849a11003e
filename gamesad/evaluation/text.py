"""A file as text, whatever programs and transfers did to it: packed, cut off, in several encodings, with NULs."""

from __future__ import annotations

import codecs
import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from gamesad.errors import Failed
from gamesad.evaluation.tally import Tally

MOST_BYTES = 256 << 20
LONGEST_LINE = 1 << 20
"""Unpacked. A day of a machine with five hundred sensors is less; what lies beyond is told and left out."""
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 14
"""Packed; a thousand times as much unpacked at most."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LATIN_1 = {0xDC00 + byte: chr(byte) for byte in range(0x80, 0x100)}


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text. ``tally`` takes what is left out of it."""

    path: str
    text: str
    tally: Tally

    @property
    def head(self) -> str:
        """The beginning, by which formats are told apart."""
        return self.text[:16384]

    def lines(self) -> Iterator[tuple[int, str]]:
        """Numbered from 1, without their ends."""
        for number, line in enumerate(self.text.split("\n"), 1):
            if len(line) > LONGEST_LINE:
                self.tally.count(f"lines longer than {LONGEST_LINE >> 20} MiB left out", number)
            else:
                yield number, line.removesuffix("\r")


def read(path: str) -> Source:
    """Raises Failed with one sentence."""
    tally = Tally()
    try:
        data = _bytes(path, tally)
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}; is that the file?") from error
    if not data.strip(b"\0 \t\r\n"):
        raise Failed(f"{path} is empty; was the recorder stopped at its start?")
    text = _decoded(data)
    if nulls := text.count("\0"):
        tally.note(f"NUL bytes left out: {nulls}; did the machine crash while it wrote?")
        text = text.replace("\0", "")
    return Source(path, text, tally)


def _bytes(path: str, tally: Tally) -> bytes:
    # O_NONBLOCK: a pipe in place of the file must not hang
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Failed(f"{path} is not a plain file; name the log that a program wrote")
        data = file.read(MOST_BYTES + 1)
    if data.startswith(_GZIP):
        data = _unpacked(path, data, tally)
    if len(data) > MOST_BYTES:
        tally.note(f"only the first {MOST_BYTES >> 20} MiB were read")
    return data[:MOST_BYTES]


def _unpacked(path: str, data: bytes, tally: Tally) -> bytes:
    """All members of a gzip file; where the data end or go wrong, what came before."""
    unpacked = bytearray()
    stream = zlib.decompressobj(wbits=31)
    at = 0
    try:
        while at < len(data) and len(unpacked) <= MOST_BYTES:
            if stream.eof:
                at -= len(stream.unused_data)
                if not data.startswith(_GZIP, at):
                    break
                stream = zlib.decompressobj(wbits=31)
            unpacked += stream.decompress(data[at : at + _CHUNK])
            at = min(at + _CHUNK, len(data))
        if not stream.eof and len(unpacked) <= MOST_BYTES:
            tally.note("the gzip data end before they should; what was whole is used")
    except zlib.error as error:
        tally.note(f"the gzip data are damaged ({error}); what came before is used")
    if not unpacked:
        raise Failed(f"{path}: nothing of its gzip data can be unpacked; copy the file again")
    return bytes(unpacked)


def _decoded(data: bytes) -> str:
    """UTF-8, and byte by byte latin-1 where it is not; HWiNFO mixes the two in one file."""
    if data.startswith(_UTF_16):
        return data.decode("utf-16", errors="replace")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="surrogateescape").translate(_LATIN_1)
