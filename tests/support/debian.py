"""Debian roots to boot, in a container or in a guest, made from the archive that this machine's apt is set up with."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.support.cache import cached

SUITES = {"12": "bookworm", "13": "trixie"}
PACKAGES = (
    # PID 1 and what gamesad talks to
    *("systemd-sysv", "udev", "dbus", "polkitd", "kmod", "libpam-systemd"),
    # what the package depends on, so that installing it needs no archive
    *("python3", "python3-dbus-next", "python3-numpy", "python3-psutil", "python3-pyudev", "python3-systemd"),
    # for the tests
    *("procps", "util-linux", "i2c-tools"),
    # for the dashboard
    "python3-aiohttp",
)
_SOURCES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d")


def sources(suite: str) -> str:
    """apt's sources for this suite: the archive that this machine is set up with, whatever its own suite is."""
    uri = _archive()
    signed = "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg"
    return f"Types: deb\nURIs: {uri}\nSuites: {suite} {suite}-updates\nComponents: main\n{signed}\n"


def root(release: str) -> Path:
    """A folder with Debian ``release`` ("12", "13") in it, to be overlaid and not written to. Half a minute, once."""
    suite = SUITES[release]

    def make(folder: Path) -> None:
        line = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}", suite, str(folder)]
        ran = subprocess.run(line, input=sources(suite), capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr

    return cached(f"root-{suite}", [suite, *PACKAGES, Path(__file__)], make)


def _archive() -> str:
    """The address of the Debian archive in apt's configuration."""
    files = [Path(_SOURCES[0]), *sorted(Path(_SOURCES[1]).glob("*.sources")), *sorted(Path(_SOURCES[1]).glob("*.list"))]
    for file in files:
        text = file.read_text() if file.is_file() else ""
        for uri in re.findall(r"^(?:URIs:|deb (?:\[.*?\])?)\s*(\S+)", text, re.MULTILINE):
            if re.search(r"/debian/?$", uri):
                return str(uri)
    raise AssertionError("apt on this machine names no Debian archive (a source whose address ends in /debian)")
