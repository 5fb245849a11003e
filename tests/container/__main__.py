"""A root shell in a booted container, by hand: ``python -m tests.container [--release 13] [-c COMMAND]``."""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.container.computer import Computer
from tests.container.machine import booted
from tests.support import debian, debs
from tests.support.fuse_machine import mounted


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.container", description=__doc__)
    parser.add_argument("--release", choices=debian.SUITES, default="12", help="of Debian; 12 when not given")
    parser.add_argument(
        "--machine", metavar="KIND/SCENARIO", help="the hardware: a simulated machine; none when not given"
    )
    parser.add_argument("--installed", action="store_true", help="with this tree's packages")
    parser.add_argument("-c", metavar="COMMAND", dest="command", help="run this instead of a shell")
    options = parser.parse_args()
    shell = ["bash", "-c", options.command] if options.command else ["bash", "-l"]
    with contextlib.ExitStack() as stack:
        root = None
        if options.machine:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gamesad-machine-"))
            root = stack.enter_context(mounted(options.machine, Path(folder))).root
        container = stack.enter_context(booted(options.release, hardware=root, of=Computer))
        if options.installed:
            container.install(debs.built())
        return subprocess.run(container.line(*shell), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
