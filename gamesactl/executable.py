"""The gamesad executable that was installed with this gamesactl, for what needs the daemon's code and no daemon."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from gamesactl.errors import Failed

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


def executable() -> list[str]:
    beside = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "gamesad")
    if os.path.isfile(beside) and os.access(beside, os.X_OK):
        return [beside]
    return [sys.executable, "-m", "gamesad"]
