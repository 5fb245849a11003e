"""This machine into a file for a maintainer, as the gamesad executable writes it; no daemon is needed."""

from __future__ import annotations

import os
import signal
import subprocess

from gamesactl import executable
from gamesactl.arguments import Arguments
from gamesactl.errors import Failed
from gamesactl.output import Output
from gamesactl.terminal import harmless
from gamesactl.values import duration_s, span

_FILE = "gamesad-recording.gz"
_FOR = "60s"
_LONGEST = 1000


def record(arguments: Arguments, output: Output) -> None:
    """The file, and what is in it. Ctrl-C ends it sooner, and what was seen until then is there."""
    path = os.path.abspath(arguments.word(0) or _FILE)
    seconds = duration_s(arguments.option("for") or _FOR)
    if not output.json:
        output.note(f"recording for {span(seconds)} into {path}; Ctrl-C ends it sooner")
    command = [*executable.executable(), "--record", path, "--duration", str(seconds)]
    code, said, complaints = _run(command)
    if code != 0:
        lines = [line for line in complaints.splitlines() if line]
        why = (
            harmless(lines[-1].removeprefix("gamesad: ").partition("; see ")[0], _LONGEST)
            if lines
            else "no reason given"
        )
        raise Failed(f"it was not recorded: {why.removeprefix('--record: ')}")
    output.done(
        {"File": path, "Bytes": os.path.getsize(path)},
        "\n".join(harmless(line, _LONGEST) for line in said.splitlines()),
    )


def _run(command: list[str]) -> tuple[int, str, str]:
    """Until it ends by itself; a signal to us ends it in good order."""
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
