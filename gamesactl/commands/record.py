"""This machine into a file for a maintainer, as the gamesad executable writes it; no daemon is needed."""

from __future__ import annotations

import os

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
    code, said, complaints = executable.run_for_long(["--record", path, "--duration", str(seconds)])
    if code != 0:
        why = executable.complaint(complaints)
        raise Failed(f"it was not recorded: {why.removeprefix('--record: ')}")
    output.done(
        {"File": path, "Bytes": os.path.getsize(path)},
        "\n".join(harmless(line, _LONGEST) for line in said.splitlines()),
    )
