"""Another program's layout plan: statistics on its standard input, a plan from its standard output."""

from __future__ import annotations

import json
import os
import select
import shlex
import subprocess
import tempfile
import time

from gamesactl.errors import Failed, Usage
from gamesad.bus.names import MAX_PLAN_LENGTH

TIMEOUT_S = 300.0
"""A language model on a slow machine thinks for minutes."""
_END_S = 10.0


def plan_of(command: str, statistics: str, *, timeout_s: float = TIMEOUT_S) -> dict[str, object]:
    """Runs it as the caller and without a shell; what it writes on stderr is shown as it comes. Raises ClientError."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise Usage(f"--command {command!r}: {error}") from None
    if not words:
        raise Usage("--command is empty; name a program that reads statistics and writes a plan")
    with tempfile.TemporaryFile() as document:  # a pipe could fill while the program writes
        document.write(statistics.encode())
        document.seek(0)
        try:
            program = subprocess.Popen(words, stdin=document, stdout=subprocess.PIPE)  # noqa: S603 - the caller's own wish
        except OSError as error:
            raise Failed(f"{words[0]} cannot be run: {error.strerror}; see --command") from None
        with program:
            try:
                said = _read(program, words[0], timeout_s)
                code = program.wait(_END_S)
            except subprocess.TimeoutExpired:
                raise Failed(f"{words[0]} closed its output and went on; it was ended, nothing was changed") from None
            finally:
                program.kill()
    if code != 0:
        raise Failed(f"{words[0]} ended with {code}; nothing was changed")
    return parsed(said, words[0])


def _read(program: subprocess.Popen[bytes], name: str, timeout_s: float) -> bytes:
    """All it writes until it closes its output."""
    output = program.stdout.fileno() if program.stdout is not None else -1
    said, end_s = b"", time.monotonic() + timeout_s
    while select.select([output], [], [], max(0.0, end_s - time.monotonic()))[0]:
        some = os.read(output, 1 << 16)
        if not some:
            return said
        said += some
        if len(said) > MAX_PLAN_LENGTH:
            raise Failed(
                f"{name} wrote more than {MAX_PLAN_LENGTH} bytes and was ended; a plan is one small JSON object"
            )
    raise Failed(f"{name} gave no plan in {timeout_s:g} s and was ended; nothing was changed")


def parsed(said: bytes | str, name: str) -> dict[str, object]:
    """The JSON object that ``name`` wrote; whether it is a plan is for the daemon to say."""
    try:
        plan = json.loads(said)
    except (ValueError, RecursionError) as error:
        raise Failed(f"{name} wrote no JSON ({error}); it shall write one JSON object and nothing else") from None
    if not isinstance(plan, dict):
        raise Failed(f"{name} wrote JSON that is no object; a plan has blocks, order, groups")
    return plan
