"""Asking for a password on the terminal, as systemctl does: pkttyagent runs for this process while a call waits."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator

from gamesactl.terminal import is_terminal

_START_S = 5.0
_STOP_S = 2.0


@contextlib.contextmanager
def password_agent() -> Iterator[None]:
    """Nothing happens without a terminal or without pkttyagent; a desktop's own agent goes first (--fallback)."""
    if not is_terminal(sys.stdin):
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    agent = _start()
    try:
        yield
    finally:
        if agent is not None:
            _stop(agent)
        # Stopped in the middle of a question it leaves the echo off.
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _start() -> subprocess.Popen[bytes] | None:
    reader, writer = os.pipe()
    command = ["pkttyagent", "--process", _this_process(), "--notify-fd", str(writer), "--fallback"]
    try:
        agent = subprocess.Popen(command, pass_fds=(writer,))  # noqa: S603 - fixed words
    except OSError:
        agent = None
    os.close(writer)
    select.select([reader], [], [], _START_S)  # closed when it is registered, or ended
    os.close(reader)
    return agent


def _stop(agent: subprocess.Popen[bytes]) -> None:
    agent.terminate()
    agent.send_signal(signal.SIGCONT)
    try:
        agent.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        agent.kill()
        agent.wait()


def _this_process() -> str:
    """``PID,START_TIME``: a bare pid could be another's by the time polkit looks (proc(5), field 22 of stat)."""
    with open("/proc/self/stat", "rb") as file:
        after_name = file.read().rpartition(b")")[2].split()
    return f"{os.getpid()},{after_name[19].decode()}"
