"""What goes wrong on the way to the daemon: an exit code and one line that says what to do next."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamesactl import bus
from gamesactl.verbs import VERBS
from tests.support.client import GAMESACTL, ROOT, FakeDaemon, gamesactl, started
from tests.support.private_bus import PrivateBus

LINES = {
    "set-profile": "set-profile quiet",
    "hold": "hold gaming",
    "release": "release 1",
    "set": "set a b",
    "confirm": "confirm a",
    "reset": "reset a",
    "export": "export --format csv",
    "crystal": "crystal stats",
    "neural": "neural status",
}
WITHOUT_DAEMON = ("config", "dashboard", "doctor", "record", "version")
BY_SEGMENT = ("flight",)


AWAY = "gamesactl: gamesad is not running; start it with: sudo systemctl start gamesad\n"


def test_every_verb_says_how_to_start_a_daemon_that_is_away(empty_bus: PrivateBus) -> None:
    for verb in VERBS:
        if verb.name not in (*WITHOUT_DAEMON, *BY_SEGMENT, "launch"):
            assert gamesactl(*LINES.get(verb.name, verb.name).split()) == (3, "", AWAY), verb.name


def test_launch_does_not_run_the_command_without_a_daemon(empty_bus: PrivateBus, tmp_path: Path) -> None:
    command = [*GAMESACTL, "launch", "--", "touch", str(tmp_path / "ran")]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    assert (ran.returncode, ran.stdout, ran.stderr) == (3, "", AWAY)
    assert not (tmp_path / "ran").exists()


def test_version_does_without_a_daemon(empty_bus: PrivateBus) -> None:
    assert gamesactl("version").out == "gamesactl 0.1.0\ngamesad is not running\n"
    assert gamesactl("version", "--json").document == {"Client": "0.1.0", "Daemon": None}


_WITHOUT_DBUS_NEXT = (
    "import sys; sys.modules['dbus_next'] = None; from gamesactl import __main__ as it; sys.exit(it.main())"
)
_NO_LIBRARY = "dbus_next cannot be imported (apt install python3-dbus-next)"


def _without_dbus_next(*words: str) -> tuple[int, str, str]:
    command = [sys.executable, "-c", _WITHOUT_DBUS_NEXT, *words]
    nowhere = {**os.environ, "GAMESAD_SHM": "/nonexistent/gamesad"}
    ran = subprocess.run(command, cwd=ROOT, env=nowhere, capture_output=True, text=True, check=False, timeout=20)
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.parametrize("line", ["status", "set-profile quiet", "set a b", "hold gaming", "monitor", "launch -- true"])
def test_without_dbus_next_a_verb_says_what_to_install(line: str) -> None:
    code, out, err = _without_dbus_next(*line.split())
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert err.startswith(f"gamesactl: {_NO_LIBRARY}")


def test_without_dbus_next_the_version_is_told() -> None:
    told = f"gamesactl 0.1.0\ngamesad cannot be asked: {_NO_LIBRARY}\n"
    assert _without_dbus_next("--version") == (0, told, "")
    code, out, err = _without_dbus_next("version", "--json")
    assert (code, json.loads(out), err) == (0, {"Client": "0.1.0", "Daemon": None}, "")


def test_json_mode_tells_errors_as_json(empty_bus: PrivateBus) -> None:
    said = gamesactl("status", "--json")
    assert (said.code, said.out, said.err.count("\n")) == (3, "", 1)
    assert json.loads(said.err) == {
        "Error": "gamesad is not running; start it with: sudo systemctl start gamesad",
        "Name": "org.freedesktop.DBus.Error.ServiceUnknown",
        "ExitCode": 3,
    }
    assert json.loads(gamesactl("stats", "--json").err)["ExitCode"] == 2


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("unix:path=/nonexistent/socket", "No such file or directory"),
        ("nonsense", "address did not contain a transport"),
        ("unix:path=/etc/passwd", "Connection refused"),
    ],
)
def test_no_bus_is_said_so(quiet_environment: None, monkeypatch: pytest.MonkeyPatch, address: str, why: str) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    said = gamesactl("status")
    assert (said.code, said.err) == (
        3,
        f"gamesactl: the system bus cannot be reached ({why}); start it, or name it in DBUS_SYSTEM_BUS_ADDRESS\n",
    )


@contextlib.contextmanager
def _listening(folder: Path, *, then_close: bool) -> Iterator[str]:
    """A socket that takes a connection and says nothing, or hangs up."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / "socket"))
    server.listen()
    taken: list[socket.socket] = []

    def take() -> None:
        with contextlib.suppress(OSError):
            connection, _ = server.accept()
            if then_close:
                while not connection.recv(4096).endswith(b"\r\n"):
                    pass  # reads the whole greeting: with bytes left unread the client would get an error, not an end
                connection.close()
            else:
                taken.append(connection)

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield f"unix:path={folder / 'socket'}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
        for connection in taken:
            connection.close()


@pytest.mark.parametrize("then_close", [True, False])
def test_a_bus_that_hangs_up_or_says_nothing_is_given_up(
    quiet_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then_close: bool
) -> None:
    monkeypatch.setattr(bus, "_CONNECT_S", 0.3)
    monkeypatch.setattr(bus, "_ALARM_LATER_S", 0.3)
    with _listening(tmp_path, then_close=then_close) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        started_s = time.monotonic()
        said = gamesactl("status")
    assert said.code == 3
    assert said.err.startswith("gamesactl: the system bus cannot be reached (")
    assert time.monotonic() - started_s < 3


def test_a_daemon_that_does_not_answer_is_given_up(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "_READ_S", 0.3)
    daemon.freeze()
    try:
        said = gamesactl("status")
    finally:
        daemon.thaw()
    assert (said.code, said.err) == (3, "gamesactl: gamesad did not answer in 0 s; see: systemctl status gamesad\n")


def test_a_daemon_that_dies_while_it_is_asked(own_daemon: FakeDaemon) -> None:
    own_daemon.freeze()
    with started("status") as child:
        time.sleep(0.5)  # time to connect and ask; being slower shows another true sentence, not a race
        own_daemon.stop()
        _, err = child.communicate(timeout=20)
    own_daemon.start()
    assert child.returncode == 3
    assert err in (
        "gamesactl: gamesad went away before it answered; see: journalctl -u gamesad\n",
        "gamesactl: gamesad is not running; start it with: sudo systemctl start gamesad\n",
    )


def test_a_bus_that_dies_while_it_is_asked(daemon: FakeDaemon, empty_bus: PrivateBus) -> None:
    empty_bus.freeze_bus()
    with started("status", env=empty_bus.environment) as child:
        time.sleep(0.5)
        empty_bus.kill_bus()
        _, err = child.communicate(timeout=20)
    assert child.returncode == 3
    assert err.count("\n") == 1, err


def test_a_reader_that_stops_reading_is_no_error(daemon: FakeDaemon) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(
        [*GAMESACTL, "sensors"], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (141, "")


def test_a_full_disk_is_said_so(daemon: FakeDaemon) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [*GAMESACTL, "status"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ran.returncode, ran.stderr) == (1, "gamesactl: No space left on device\n")


def test_ctrl_c_is_quiet(daemon: FakeDaemon) -> None:
    with started("monitor", "-i", "1h") as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=20)
    assert (child.returncode, err) == (130, "")


def test_a_terminal_without_the_signs_gets_question_marks(daemon: FakeDaemon) -> None:
    ran = subprocess.run(
        [*GAMESACTL, "status"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0
    assert b"93.4 ?C" in ran.stdout


def test_a_name_that_is_no_text_is_a_usage_error(daemon: FakeDaemon) -> None:
    assert gamesactl("set-profile", "\udcff").code == 2


def test_what_was_said_before_an_error_is_shown(empty_bus: PrivateBus) -> None:
    """The program leaves without taking itself apart, so nothing else writes out what is still in its buffers."""
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    doctor = subprocess.run([*GAMESACTL, "doctor"], cwd=ROOT, env=buffered, capture_output=True, text=True, check=False)
    assert doctor.returncode == 3
    assert "service" in doctor.stdout


def test_a_closed_stdout_is_no_crash(empty_bus: PrivateBus) -> None:
    command = ["sh", "-c", f"{sys.executable} -m gamesactl version >&-"]
    closed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert (closed.returncode, closed.stderr) == (0, b"")
