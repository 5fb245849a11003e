"""Whether polkit lets this process change anything: asked of polkit itself, so that the page offers what will work."""

from __future__ import annotations

import asyncio
import os
import time

from gamesad.bus import names

_AGAIN_S = 5.0
_WAIT_S = 3.0
_REFUSES = 1
"""pkcheck(1): 0 allowed, 1 not, 2 and 3 after a password; the others say nothing."""
_WHY = (
    "polkit does not let this process act: it runs in no active session on this machine's screen, and its user is not "
    "in the group gamesad"
)


class Judge:
    """A session becomes active and inactive: asked again every 5 s while somebody wants to know."""

    def __init__(self) -> None:
        self._verdict = ""
        self._until_s = 0.0
        self._asking = asyncio.Lock()

    async def why_not(self) -> str:
        """Empty where it may, or where polkit cannot be asked: it judges every change in any case."""
        async with self._asking:
            if time.monotonic() >= self._until_s:
                self._verdict = _WHY if await _exit_code() == _REFUSES else ""
                self._until_s = time.monotonic() + _AGAIN_S
        return self._verdict


async def _exit_code() -> int | None:
    words = ("pkcheck", "--action-id", names.ACTION_SET_PROFILE, "--process", _this_process())
    silent = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(*words, stdin=silent, stdout=silent, stderr=silent)
    except OSError:
        return None
    try:
        return await asyncio.wait_for(process.wait(), _WAIT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return None


def _this_process() -> str:
    """``PID,START_TIME,UID``: a bare pid could be another's by the time polkit looks (proc(5), field 22 of stat)."""
    with open("/proc/self/stat", "rb") as file:
        after_name = file.read().rpartition(b")")[2].split()
    return f"{os.getpid()},{after_name[19].decode()},{os.getuid()}"
