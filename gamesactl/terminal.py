"""What the other end of stdout can show: width, colour, and text that cannot steer it."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as in typing, without the 10 ms of importing it
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self, TextIO

_STYLES = {"bold": "1", "dim": "2", "good": "32", "warn": "33", "bad": "31", "notice": "1;33"}
_UNLIMITED = 10_000

# Characters that move, hide or reorder what stands around them: C0, DEL, C1, bidirectional controls, line separators,
# zero-width characters.
_STEERING = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0))),
    **dict.fromkeys(
        (0x061C, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
    ),
}
_VISIBLE: Mapping[int, str] = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _STEERING}


def harmless(text: object, longest: int = 400) -> str:
    """Text from the bus as it may reach a terminal: control and steering characters are spelled out, length bounded."""
    shown = str(text).translate(_VISIBLE)
    shown = shown.encode("utf-8", "replace").decode()
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


class Style:
    """Colours text, or leaves it as it is where colour is not wanted."""

    def __init__(self, *, color: bool) -> None:
        self.color = color

    def __call__(self, name: str, text: str) -> str:
        if not self.color or not name or not text:
            return text
        return f"\x1b[{_STYLES[name]}m{text}\x1b[0m"


def style_for(stream: TextIO, *, wanted: bool = True) -> Style:
    """Colour only on a terminal, never with NO_COLOR (https://no-color.org) or TERM=dumb."""
    return Style(color=wanted and not os.environ.get("NO_COLOR") and is_capable(stream))


def is_capable(stream: TextIO) -> bool:
    """Whether the stream is a terminal that understands escape sequences."""
    return is_terminal(stream) and os.environ.get("TERM", "dumb") not in ("dumb", "")


def is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def width() -> int:
    """Columns to fit into: COLUMNS, else the terminal's; a pipe has no end."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return max(20, int(columns))
    try:
        return max(20, os.get_terminal_size(sys.stdout.fileno()).columns or 80)
    except (OSError, ValueError, AttributeError):
        return _UNLIMITED


def height() -> int:
    lines = os.environ.get("LINES", "")
    if lines.isdigit() and int(lines) > 0:
        return int(lines)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).lines or 24
    except (OSError, ValueError, AttributeError):
        return 24


class Screen:
    """Redraws a few lines in place on the alternate screen: one write per frame, nothing cleared before it is redrawn.

    The terminal is as it was after ``with``, the last frame left on it for reading.
    """

    _ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"
    _LEAVE = "\x1b[?25h\x1b[?1049l"

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: list[str] = []

    def __enter__(self) -> Self:
        self._put(self._ENTER)
        return self

    def __exit__(self, *_exception: object) -> None:
        last = "".join(f"{line}\n" for line in self._last)
        self._put(self._LEAVE + last)

    def suspend(self) -> None:
        """Ctrl-Z: gives the terminal back, stops, and takes it again when it is continued."""
        import signal  # noqa: PLC0415 - 5 ms, which other verbs need not pay

        self._put(self._LEAVE)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._put(self._ENTER)
        self.draw(self._last)

    def draw(self, lines: list[str]) -> None:
        self._last = lines
        rows = lines[: max(1, height() - 1)]
        body = "".join(f"{line}\x1b[K\r\n" for line in rows)
        # ?2026: terminals that know it show the frame only when whole; the others ignore it.
        self._put(f"\x1b[?2026h\x1b[H{body}\x1b[J\x1b[?2026l")

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
