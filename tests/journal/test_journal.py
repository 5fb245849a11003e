"""What a person reads on stderr, and what journald receives over its own socket."""

from __future__ import annotations

import io
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamesad import journal
from gamesad.journal import journal_fields, log_event, setup, visible
from gamesad.messages import Message

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("gamesad")
    handlers, level = list(root.handlers), ours.level
    yield
    root.handlers[:] = handlers
    ours.setLevel(level)


@pytest.fixture
def stream() -> io.StringIO:
    text = io.StringIO()
    setup(0, simulated=False, stream=text)
    return text


def fields_of(caplog: pytest.LogCaptureFixture) -> dict[str, str | int]:
    return journal_fields(caplog.records[-1])


def test_a_line_says_when_how_grave_and_what(stream: io.StringIO) -> None:
    log_event(Message.ALERT, "CPU package is at 96.0 °C", sensor="hwmon.k10temp.temp1")
    log_event(Message.START, "gamesad 0.1.0 has started")
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning: CPU package is at 96.0 °C", first)
    assert re.fullmatch(r"\d\d:\d\d:\d\d gamesad 0.1.0 has started", second)


def test_a_simulated_machine_says_so_in_every_line() -> None:
    text = io.StringIO()
    setup(0, simulated=True, stream=text)
    log_event(Message.STOP, "gamesad has stopped")
    assert "[simulated] gamesad has stopped" in text.getvalue()


def test_a_recorded_machine_says_so_too() -> None:
    text = io.StringIO()
    setup(0, simulated=True, label="recording", stream=text)
    log_event(Message.STOP, "gamesad has stopped")
    assert "[recording] gamesad has stopped" in text.getvalue()


def test_details_are_told_when_asked_for(stream: io.StringIO) -> None:
    logging.getLogger("gamesad.bus").debug("a detail")
    assert stream.getvalue() == ""
    setup(1, simulated=False, stream=stream)
    logging.getLogger("gamesad.bus").debug("a detail")
    assert stream.getvalue().count("debug: a detail") == 1


def test_setting_up_again_replaces_what_was_set_up(stream: io.StringIO) -> None:
    setup(0, simulated=False, stream=stream)
    log_event(Message.START, "once")
    assert stream.getvalue().count("once") == 1


def test_nobody_can_forge_a_line(stream: io.StringIO) -> None:
    log_event(Message.PROFILE_CHANGED, "held by game\n12:00:00 everything is fine\x1b[2J", profile="gaming")
    assert len(stream.getvalue().splitlines()) == 1
    assert "game\\n12:00:00 everything is fine\\x1b[2J" in stream.getvalue()


def test_a_closed_terminal_is_nothing_to_fail_for(stream: io.StringIO) -> None:
    stream.close()
    log_event(Message.STOP, "gamesad has stopped")


def test_an_event_carries_its_id_and_fields(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gamesad")
    log_event(Message.ALERT, "hot", sensor="hwmon.k10temp.temp1", temperature_c=96.125, limit_c=95.0)
    fields = fields_of(caplog)
    assert fields["MESSAGE_ID"] == Message.ALERT.message_id
    assert fields["PRIORITY"] == "4"
    assert fields["SYSLOG_IDENTIFIER"] == "gamesad"
    assert fields["GAMESAD_SENSOR"] == "hwmon.k10temp.temp1"
    assert (fields["GAMESAD_TEMPERATURE_C"], fields["GAMESAD_LIMIT_C"]) == ("96.125", "95")
    assert fields["CODE_FUNC"] == "test_an_event_carries_its_id_and_fields"


@pytest.mark.parametrize(
    ("level", "priority"), [("DEBUG", "7"), ("INFO", "6"), ("WARNING", "4"), ("ERROR", "3"), ("CRITICAL", "2")]
)
def test_levels_are_syslog_priorities(level: str, priority: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "gamesad")
    logging.getLogger("gamesad").log(getattr(logging, level), "text")
    assert fields_of(caplog)["PRIORITY"] == priority


def test_a_field_holds_one_bounded_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gamesad")
    log_event(Message.PROFILE_CHANGED, "held", cause="a\nMESSAGE_ID=" + "f" * 100_000)
    value = str(fields_of(caplog)["GAMESAD_CAUSE"])
    assert value.startswith("a\\nMESSAGE_ID=fff")
    assert len(value) < 600


def test_visible_leaves_ordinary_text_alone() -> None:
    assert visible("scaling_max_freq 4.6 → 3.9 GHz, 93.4 °C") == "scaling_max_freq 4.6 → 3.9 GHz, 93.4 °C"
    assert visible("\ud800\u2028\x00") == "\\ud800\\u2028\\x00"


def test_journald_receives_text_and_fields_when_systemd_started_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd-python sends to the fixed path of journald's socket, so the receiver stands in for its ``send``."""
    received: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr("systemd.journal.send", lambda text, **fields: received.append((text, fields)))
    monkeypatch.setattr(journal, "JOURNAL_SOCKET", str(tmp_path))
    status = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    assert setup(0, simulated=True) == "journal"
    log_event(Message.RIVAL, "power-profiles-daemon owns the controls", rival="power-profiles-daemon")
    ((text, fields),) = received
    assert text == "[simulated] power-profiles-daemon owns the controls"
    assert fields["GAMESAD_RIVAL"] == "power-profiles-daemon"
    assert fields["GAMESAD_SIMULATED"] == "yes"


def test_a_stderr_that_is_not_the_journal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    assert setup(0, simulated=False) == "stderr"


def test_while_journald_does_not_answer_the_lines_go_to_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(_text: str, **_fields: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("systemd.journal.send", refuse)
    monkeypatch.setattr(journal, "JOURNAL_SOCKET", str(tmp_path))
    status = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    setup(0, simulated=False)
    log_event(Message.START, "still heard")
    assert "still heard" in capfd.readouterr().err


def test_without_systemd_python_one_clear_line_and_stderr() -> None:
    script = (
        "import os, sys; sys.modules['systemd'] = None; s = os.fstat(2)\n"
        "os.environ['JOURNAL_STREAM'] = f'{s.st_dev}:{s.st_ino}'\n"
        "from gamesad import journal; journal.JOURNAL_SOCKET = '/'\n"
        "print(journal.setup(0, simulated=False))\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "stderr\n"
    assert len(ran.stderr.splitlines()) == 1
    assert "running without systemd-python (apt install python3-systemd)" in ran.stderr


def test_the_real_library_puts_the_entry_on_the_wire(tmp_path: Path) -> None:
    """journald's socket path is fixed in libsystemd, so a mount namespace of our own puts a receiver there."""
    if os.geteuid() != 0:
        pytest.skip("needs root for a mount namespace")
    script = f"""
import os, socket, sys
sys.path.insert(0, {str(ROOT)!r})
os.makedirs('/run/systemd/journal', exist_ok=True)
channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
channel.bind('/run/systemd/journal/socket')
s = os.fstat(2)
os.environ['JOURNAL_STREAM'] = f'{{s.st_dev}}:{{s.st_ino}}'
from gamesad.journal import log_event, setup
from gamesad.messages import Message
assert setup(0, simulated=False) == 'journal'
log_event(Message.START, 'over the wire', cause='x\\nPRIORITY=0')
sys.stdout.buffer.write(channel.recv(65536))
"""
    command = 'mount -t tmpfs none /run && exec "$@"'
    ran = subprocess.run(
        ["unshare", "-m", "sh", "-c", command, "sh", sys.executable, "-c", script], capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()
    lines = ran.stdout.decode().splitlines()
    assert "MESSAGE=over the wire" in lines
    assert f"MESSAGE_ID={Message.START.message_id}" in lines
    assert "GAMESAD_CAUSE=x\\nPRIORITY=0" in lines
    assert [line for line in lines if line.startswith("PRIORITY=")] == ["PRIORITY=6"]


def test_telling_costs_no_import_until_it_is_used() -> None:
    script = "import gamesad.journal, gamesad.notify, sys; print({'systemd', 'dbus_next', 'numpy'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
