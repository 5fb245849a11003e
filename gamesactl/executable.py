"""The gamesad executable that was installed with this gamesactl, for what needs the daemon's code and no daemon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from gamesactl.errors import Failed
from gamesactl.terminal import harmless

_TIMEOUT_S = 30


def run(options: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Failed when it is not there or does not finish; its exit status is the caller's to judge."""
    command = [*executable(), *options]
    try:
        return subprocess.run(  # noqa: S603 - our own executable
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"gamesad did not finish in {_TIMEOUT_S} s; try: {' '.join(command)}") from None
    except OSError as error:
        raise Failed(f"the gamesad executable cannot be run ({error.strerror}); install it beside gamesactl") from None


def run_for_long(options: Sequence[str]) -> tuple[int, str, str]:
    """Exit status, stdout and stderr once it has ended by itself; a signal to us ends it in good order."""
    command = [*executable(), *options]
    try:
        with subprocess.Popen(  # noqa: S603 - our own executable
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as gamesad:
            before = signal.signal(signal.SIGTERM, lambda *_: gamesad.terminate())
            try:
                said, complaints = gamesad.communicate()
            except KeyboardInterrupt:  # the terminal told both of us
                gamesad.terminate()
                said, complaints = gamesad.communicate()
            finally:
                signal.signal(signal.SIGTERM, before)
            return gamesad.returncode, said, complaints
    except OSError as error:
        raise Failed(f"the gamesad executable cannot be run ({error.strerror}); install it beside gamesactl") from None


def complaint(complaints: str) -> str:
    """The last line of its stderr, as part of a sentence of ours."""
    lines = [line for line in complaints.splitlines() if line]
    return harmless(lines[-1].removeprefix("gamesad: ").partition("; see ")[0], 1000) if lines else "no reason given"


def executable() -> list[str]:
    beside = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "gamesad")
    if os.path.isfile(beside) and os.access(beside, os.X_OK):
        return [beside]
    return [sys.executable, "-m", "gamesad"]
