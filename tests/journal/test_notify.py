"""What systemd hears from us, over real sockets."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamesad.notify import notify, watchdog_interval_s


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A notification socket such as systemd opens, in both forms it may take."""
    name = f"@gamesad-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind("\0" + name[1:] if name.startswith("@") else name)
        channel.settimeout(2.0)
        yield channel


def test_states_arrive_as_one_message(manager: socket.socket) -> None:
    assert notify("READY=1", "STATUS=CPU package 61.0 °C")
    assert manager.recv(4096).decode() == "READY=1\nSTATUS=CPU package 61.0 °C"


def test_a_reload_carries_the_time_it_began(manager: socket.socket) -> None:
    before_us = time.monotonic_ns() // 1000
    notify("RELOADING=1")
    reloading, began = manager.recv(4096).decode().splitlines()
    assert reloading == "RELOADING=1"
    assert before_us <= int(began.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


def test_a_line_break_in_a_status_adds_no_state(manager: socket.socket) -> None:
    notify("STATUS=evil\nSTOPPING=1")
    assert manager.recv(4096) == b"STATUS=evil STOPPING=1"


def test_a_manager_that_does_not_read_is_not_waited_for(manager: socket.socket) -> None:
    begin_s = time.monotonic()
    while notify("STATUS=" + "x" * 1000):
        assert time.monotonic() - begin_s < 2.0
    manager.recv(4096)


@pytest.mark.parametrize("address", [None, "", "nonsense", "vsock:2:1", "/nowhere/notify", "/" + "long" * 100])
def test_without_somebody_who_listens_nothing_happens(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert notify("READY=1") is False


@pytest.mark.parametrize(
    ("microseconds", "watched", "interval_s"),
    [
        ("30000000", None, 30.0),
        ("30000000", str(os.getpid()), 30.0),
        ("30000000", "1", None),
        ("0", None, None),
        ("", None, None),
        ("-5", None, None),
        ("many", None, None),
    ],
)
def test_the_watchdog_interval_is_ours_or_none(
    microseconds: str, watched: str | None, interval_s: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", microseconds)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if watched is not None:
        monkeypatch.setenv("WATCHDOG_PID", watched)
    assert watchdog_interval_s() == interval_s
