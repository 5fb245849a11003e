"""Status from shared memory: the same as over the bus, without the bus, and the bus where memory has not everything."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamesactl import installation
from gamesactl.values import amount
from gamesad.crystal import layout
from gamesad.crystal.segment import Segment
from tests.gamesactl.answers import STATUS
from tests.gamesactl.segments import published
from tests.support.client import ROOT, FakeDaemon, gamesactl
from tests.support.private_bus import PrivateBus

NOBODY = 65534
OF_THE_TICK = ("Time",)
_LOADED = """
import sys
from gamesactl.__main__ import main
before = set(sys.modules)
code = main(sys.argv[1:])
print(*sorted(name for name in sys.modules if "." not in name), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def shm(tmp_path: Path, quiet_environment: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where a segment may be, and no bus at all."""
    path = str(tmp_path / "gamesad")
    monkeypatch.setenv("GAMESAD_SHM", path)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/no-bus")
    return path


@pytest.fixture
def segment(shm: str) -> Iterator[Segment]:
    with published(shm) as segment:
        yield segment


@pytest.fixture
def asked(daemon: FakeDaemon, shm: str, client_bus: PrivateBus, monkeypatch: pytest.MonkeyPatch) -> FakeDaemon:
    """A daemon on the bus that calls its machine another name, so that one sees who answered."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", client_bus.address)
    daemon.answer(status={**STATUS, "Machine": "on the bus"})
    return daemon


def machine() -> str:
    said = gamesactl("status", "--json")
    assert (said.code, said.err) == (0, "")
    return str(said.document["Machine"])


def test_status_reads_the_segment(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    status = gamesactl("status", "--json").document
    assert status.pop("Time") > 0
    assert status == {**STATUS, "Holds": []}
    monkeypatch.setenv("COLUMNS", "80")
    assert "Temperature  CPU package 93.4 °C, 1.6 °C under its limit of 95 °C (hot)\n" in gamesactl("status").out


def test_status_from_the_segment_loads_next_to_nothing(segment: Segment) -> None:
    ran = subprocess.run(
        [sys.executable, "-S", "-c", _LOADED, "status"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("Machine      LENOVO 21AH\n")
    heavy = {
        "asyncio",
        "collections",
        "dataclasses",
        "dbus_next",
        "enum",
        "functools",
        "importlib",
        "json",
        "re",
        "typing",
    }
    assert heavy.isdisjoint(ran.stderr.split())


def test_the_bus_is_asked_where_there_is_no_segment(asked: FakeDaemon) -> None:
    assert machine() == "on the bus"


def test_the_bus_is_asked_while_somebody_holds_a_profile(asked: FakeDaemon, shm: str) -> None:
    with published(shm):
        assert machine() == "LENOVO 21AH"
    with published(shm, HoldCount=1):
        assert machine() == "on the bus"


def test_the_bus_is_asked_where_the_words_had_no_room(asked: FakeDaemon, shm: str) -> None:
    with published(shm, Truncated=True):
        assert machine() == "on the bus"


def test_another_bus_is_another_machine(
    asked: FakeDaemon, segment: Segment, shm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "PATH", shm)
    monkeypatch.delenv("GAMESAD_SHM")
    assert machine() == "on the bus"
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/dbus/system_bus_socket")
    assert machine() == "LENOVO 21AH"
    monkeypatch.delenv("DBUS_SYSTEM_BUS_ADDRESS")
    assert machine() == "LENOVO 21AH"


def test_without_a_bus_holds_are_said_to_be_missing(shm: str) -> None:
    with published(shm, HoldCount=1):
        said = gamesactl("status")
    assert said.code == 0
    assert said.out.startswith("Machine      LENOVO 21AH\n")
    assert said.err.startswith("gamesactl: not all is shown: the system bus cannot be reached")


def test_what_cannot_be_believed_is_not_read(asked: FakeDaemon, segment: Segment, shm: str, tmp_path: Path) -> None:
    """A stranger's file, one that others can write, a link, another ABI, random bytes, a folder."""
    assert machine() == "LENOVO 21AH"
    os.chown(shm, NOBODY, NOBODY)
    assert machine() == "on the bus"
    os.chown(shm, 0, 0)
    Path(shm).chmod(0o666)
    assert machine() == "on the bus"
    Path(shm).chmod(0o644)
    whole = Path(shm).read_bytes()
    moved = tmp_path / "moved"
    for content in (whole[:8] + b"\x63" + whole[9:], whole[:4096], os.urandom(len(whole)), b""):
        moved.write_bytes(content)
        moved.rename(shm)
        assert machine() == "on the bus"
    moved.write_bytes(whole)
    Path(shm).unlink()
    Path(shm).symlink_to(moved)
    assert machine() == "on the bus"
    Path(shm).unlink()
    Path(shm).mkdir()
    assert machine() == "on the bus"
    Path(shm).rmdir()


def test_a_daemon_that_died_is_told_with_since_when(
    empty_bus: PrivateBus, shm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", empty_bus.address)
    monkeypatch.setenv("TZ", "UTC")
    with published(shm, stale_after_s=0.0):
        said = gamesactl("status")
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("gamesactl: stale since ")
    assert said.err.endswith(": gamesad is not running; start it with: sudo systemctl start gamesad\n")


def test_a_slow_daemon_is_asked(asked: FakeDaemon, shm: str) -> None:
    with published(shm, stale_after_s=0.0):
        assert machine() == "on the bus"


def test_a_text_in_the_segment_cannot_steer_the_terminal(shm: str) -> None:
    with published(shm, Machine="\x1b[2J\u202eevil", ProfileCause="\x07"):
        said = gamesactl("status")
    assert "Machine      \\x1b[2J\\u202eevil\n" in said.out
    assert "balanced, \\x07\n" in said.out


def test_texts_of_the_wrong_kind_are_passed_over(shm: str) -> None:
    with published(shm, LastDecision="x", States=7, Limits="y", HoldCount="many"):
        said = gamesactl("status")
    assert said.code == 0
    assert "Decision     none yet\n" in said.out


def told(status: dict[str, object] | None = STATUS) -> tuple[str, str]:
    """What doctor says of the segment: level and text."""
    [one] = [one for one in installation.findings(status) if "segment" in one["Text"] or "memory" in one["Text"]]
    return one["Level"], one["Text"]


def test_doctor_says_what_is_with_the_segment(shm: str) -> None:
    assert told() == ("note", f"gamesactl asks the bus, there is no segment at {shm}")
    with published(shm):
        size = amount(os.stat(shm).st_size, "B")
        assert told() == ("good", f"readings are in shared memory: {shm} has {size} and belongs to uid 0")
        os.chown(shm, NOBODY, NOBODY)
        level, text = told()
        assert level == "missing"
        assert text.startswith(f"the segment is not used: {shm} belongs to user {NOBODY}")
        os.chown(shm, 0, 0)
    with published(shm, stale_after_s=0.0):
        level, text = told()
        assert level == "missing"
        assert text.startswith("the segment is stale since ")


def test_doctor_misses_no_segment_where_no_daemon_is(shm: str) -> None:
    assert not [one for one in installation.findings(None) if "gamesactl asks the bus" in one["Text"]]
