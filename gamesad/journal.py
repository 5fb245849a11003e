"""Telling what happens: structured entries in the journal where systemd listens, plain lines on stderr elsewhere.

Texts and fields may hold what others said (application ids, sensor labels, profile names). Control characters in them
are shown escaped and their length is bounded, so that nobody can forge a line or a field; field names are ours alone.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, TextIO, TypedDict

from gamesad.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

IDENTIFIER = "gamesad"
JOURNAL_SOCKET = "/run/systemd/journal/socket"
_TEXT_LENGTH = 2000
_FIELD_LENGTH = 500
_SETTINGS_LENGTH = 20_000
"""A tunable and its value take about 50, and a big machine has some hundred of them."""
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))  # syslog(3)
_LOG = logging.getLogger(IDENTIFIER)


class Fields(TypedDict, total=False):
    """What an entry may say besides its text; each becomes GAMESAD_ and the name in capitals (docs/journal.md)."""

    action: str
    source: str
    profile: str
    cause: str
    settings: str
    sensor: str
    label: str
    temperature_c: float
    limit_c: float
    value: str | float
    tunable: str
    errno: str
    component: str
    rival: str
    path: str
    duration_s: float
    score: float
    threshold: float
    since_s: float
    until_s: float
    model: str
    mode: str


def setup(verbosity: int, simulated: bool, *, label: str = "simulated", stream: TextIO | None = None) -> str:
    """Send this process's log to the journal or to ``stream`` (stderr), and say which: "journal" or "stderr".

    ``verbosity``: 0 tells events, 1 and more also the details of debugging. Of a machine that is ``simulated`` every
    line says so, by ``label``. Called again, it replaces what was set up.
    """
    mark = f"[{label}] " if simulated else ""
    lines = _Lines(stream or sys.stderr, mark)
    handler: logging.Handler = lines
    reason = ""
    if stream is None and started_by_journal():
        try:
            from systemd.journal import send  # noqa: PLC0415  costs 20 ms, and only a service needs it
        except ImportError:
            reason = "without systemd-python (apt install python3-systemd): entries carry no fields and no MESSAGE_ID"
        else:
            handler = _Journal(send, lines, mark)
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Lines | _Journal)]:
        root.removeHandler(old)
    root.addHandler(handler)
    _LOG.setLevel(logging.DEBUG if verbosity > 0 else logging.INFO)
    if reason:
        log_event(Message.COMPONENT_MISSING, f"running {reason}", component="systemd-python")
    return "journal" if isinstance(handler, _Journal) else "stderr"


def log_event(message: Message, text: str, level: int | None = None, **fields: Unpack[Fields]) -> None:
    """One event: a sentence for people, an id and fields for programs. ``level`` None = the event's usual one."""
    extra = {"gamesad_message": message, "gamesad_fields": fields}
    _LOG.log(message.level if level is None else level, "%s", text, extra=extra, stacklevel=2)


def started_by_journal() -> bool:
    """Whether journald listens and our stderr is its stream (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        status = os.fstat(2)
    except OSError:
        return False
    ours = f"{status.st_dev}:{status.st_ino}"
    return os.environ.get("JOURNAL_STREAM") == ours and os.path.exists(JOURNAL_SOCKET)


def visible(text: object, length: int = _FIELD_LENGTH) -> str:
    """The text on one line: control and unpaired characters escaped, cut at ``length`` with an ellipsis."""
    shown = str(text)
    if len(shown) > length:
        shown = shown[: length - 1] + "…"
    if shown.isprintable():
        return shown
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in shown)


class _Lines(logging.Handler):
    """``12:47:04 warning: text`` on a stream; a stream that is gone (a closed terminal) is nothing to fail for."""

    def __init__(self, stream: TextIO, mark: str) -> None:
        super().__init__()
        self._stream = stream
        self._mark = mark
        self.setFormatter(logging.Formatter("%(asctime)s", "%H:%M:%S"))

    def emit(self, record: logging.LogRecord) -> None:
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        text = self._mark + _text(record)
        try:
            self._stream.write(f"{self.format(record)} {level}{text}\n{_traceback(record)}")
            self._stream.flush()
        except (OSError, ValueError):
            return

    def format(self, record: logging.LogRecord) -> str:
        formatter = self.formatter or logging.Formatter()
        return formatter.formatTime(record, formatter.datefmt)


class _Journal(logging.Handler):
    """Entries with fields; while journald does not answer (it restarts), the lines that stderr gets."""

    def __init__(self, send: Callable[..., object], otherwise: _Lines, mark: str) -> None:
        super().__init__()
        self._send = send
        self._otherwise = otherwise
        self._mark = mark

    def emit(self, record: logging.LogRecord) -> None:
        fields = journal_fields(record)
        if self._mark:
            fields["GAMESAD_SIMULATED"] = "yes"
        try:
            self._send(self._mark + _text(record), **fields)
        except OSError:
            self._otherwise.emit(record)


def journal_fields(record: logging.LogRecord) -> dict[str, str | int]:
    """The journal fields of a record, its text apart (systemd.journal-fields(7))."""
    fields: dict[str, str | int] = {
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        "PRIORITY": str(_priority(record.levelno)),
        "LOGGER": record.name,
        "CODE_FILE": record.pathname,
        "CODE_LINE": record.lineno,
        "CODE_FUNC": record.funcName or "",
    }
    message: Message | None = getattr(record, "gamesad_message", None)
    if message is not None:
        fields["MESSAGE_ID"] = message.message_id
    said: dict[str, object] = getattr(record, "gamesad_fields", {})
    for name, value in said.items():
        length = _SETTINGS_LENGTH if name == "settings" else _FIELD_LENGTH
        text = f"{value:.10g}" if isinstance(value, float) else visible(value, length)
        fields[f"GAMESAD_{name.upper()}"] = text
    if trace := _traceback(record):
        fields["GAMESAD_TRACEBACK"] = trace
    return fields


def _text(record: logging.LogRecord) -> str:
    return visible(record.getMessage(), _TEXT_LENGTH)


def _traceback(record: logging.LogRecord) -> str:
    if not record.exc_info:
        return ""
    return logging.Formatter().formatException(record.exc_info) + "\n"


def _priority(level: int) -> int:
    return next((priority for threshold, priority in _PRIORITIES if level >= threshold), 7)
