"""Debian booted in a container: systemd is PID 1, everything it writes goes to memory, and nothing stays behind.

``with booted("12") as machine:`` gives a running system; ``machine.run("systemctl", "status", "gamesad")`` runs
a command in it. With ``hardware=`` the /sys of a simulated machine (``tests.support.fuse_machine``) stands where the
kernel's own would, so that the unmodified service finds sensors and controls.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.support import debian

T = TypeVar("T")
C = TypeVar("C", bound="Container")

BOOT_S = 180.0
STOP_S = 120.0
PATIENCE_S = 120.0

_HARDWARE = "/run/hardware"
# Bound over the kernel's own once it has booted: systemd-nspawn mounts sysfs over what it binds itself.
_PLUG = f"""
set -e
mkdir -p /sys/firmware
for part in $(ls {_HARDWARE}/sys); do mount --bind {_HARDWARE}/sys/$part /sys/$part; done
"""

# In a mount namespace of its own, so that no mount outlives it; /run is hidden from nspawn, which leaves locks there.
# And in a control group of its own: two containers in one would end each other's services.
_BOOT = """
set -e
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs {place}
mkdir {place}/groups
mount -t cgroup2 cgroup2 {place}/groups
group={place}/groups$(sed -n 's/^0:://p' /proc/self/cgroup)/{name}
mkdir $group
echo $$ >$group/cgroup.procs
mkdir {place}/upper {place}/work {place}/root
mount -t overlay overlay -o lowerdir={debian},upperdir={place}/upper,workdir={place}/work {place}/root
exec systemd-nspawn --quiet --directory={place}/root --boot --register=no --keep-unit --link-journal=no \
    --private-network --console=pipe --machine=debian{release} {binds}
"""

# In the older hierarchy, where there is one, systemd-nspawn has made it too.
_REMOVE_GROUP = """
set -e
mount -t cgroup2 cgroup2 {place}
for hierarchy in {place} /sys/fs/cgroup/systemd; do
    group=$hierarchy$(sed -n 's/^0:://p' /proc/self/cgroup)/{name}
    [ ! -d $group ] || find $group -depth -type d -exec rmdir {{}} +
done
"""

_ENVIRONMENT = {
    # What gamesad is to write is writable, as on a machine.
    "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "yes",
    # As Debian boots; systemd of Debian 13 refuses the older hierarchy that this machine may have.
    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
}


class Container:
    """A booted Debian. ``pid`` is its PID 1, seen from outside."""

    def __init__(self, release: str, process: subprocess.Popen[bytes], console: Path) -> None:
        self.release = release
        self.pid = 0
        self._process = process
        self._console = console

    @property
    def root(self) -> Path:
        """Its file system, seen from outside."""
        return Path(f"/proc/{self.pid}/root")

    def run(
        self, *line: str | Path, user: str = "", text: str | None = None, timeout_s: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command inside, as root or somebody else, with ``text`` as its standard input."""
        return subprocess.run(
            self.line(*line, user=user),
            input=text or "",
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def line(self, *line: str | Path, user: str = "") -> list[str]:
        """The command line, outside, of a command inside."""
        entered = ["nsenter", f"--target={self.pid}", "--all", "env", "-i", *_INSIDE]
        return [*entered, *(["runuser", "-u", user, "--"] if user else []), *map(str, line)]

    def tell(self, *line: str | Path, text: str | None = None, timeout_s: float = 120.0) -> str:
        """What a command that must succeed prints."""
        ran = self.run(*line, text=text, timeout_s=timeout_s)
        assert ran.returncode == 0, (
            f"{shlex.join(map(str, line))} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}"
        )
        return ran.stdout

    def unit(self, *properties: str, name: str = "gamesad") -> tuple[str, ...]:
        """The values of a unit's properties, ``unit("ActiveState", "SubState")``."""
        told = self.tell("systemctl", "show", name, f"--property={','.join(properties)}")
        values = dict(line.split("=", 1) for line in told.splitlines())
        return tuple(values[one] for one in properties)

    def journal(self, *matches: str) -> list[dict[str, Any]]:
        """The journal's entries for these matches (``-u gamesad``, ``MESSAGE_ID=…``), oldest first."""
        told = self.tell("journalctl", "--output=json", "--all", "--no-pager", "--quiet", *matches)
        return [json.loads(line) for line in told.splitlines()]

    def messages(self, *matches: str) -> list[str]:
        """The texts of these entries."""
        return [str(entry["MESSAGE"]) for entry in self.journal(*(matches or ("--unit=gamesad",)))]

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Not a block is left on its disk meanwhile."""
        disk = os.statvfs(self.root)
        self._resize(f"{(disk.f_blocks - disk.f_bfree) * disk.f_frsize}")
        try:
            yield
        finally:
            self._resize("50%")

    def _resize(self, size: str) -> None:
        place = self._console.with_name("place")
        line = ["nsenter", f"--target={self._process.pid}", "--mount", "mount", "-o", f"remount,size={size}", place]
        subprocess.run(line, check=True)

    def stop(self) -> None:
        """Powers it off; killed when it does not go."""
        if self._process.poll() is None and self.pid:
            os.kill(self.pid, signal.SIGRTMIN + 4)
        try:
            self._process.wait(STOP_S if self.pid else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait_running(self) -> None:
        """Until systemd has started everything; with what failed when something did."""
        self.pid = eventually(self._first_process, "PID 1", BOOT_S)
        state = eventually(self._booted, "the end of the boot", BOOT_S)
        assert state == "running", self.run("systemctl", "--failed", "--no-pager").stdout

    def _first_process(self) -> int:
        assert self._process.poll() is None, f"systemd-nspawn ended:\n{self._console.read_text(errors='replace')}"
        for child in Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split():
            try:
                status = Path(f"/proc/{child}/status").read_text()
            except OSError:
                continue
            if "Name:\tsystemd\n" in status and f"NSpid:\t{child}\t1\n" in status:
                return int(child)
        return 0

    def _booted(self) -> str:
        assert self._process.poll() is None, f"systemd-nspawn ended:\n{self._console.read_text(errors='replace')}"
        state = self.run("systemctl", "is-system-running").stdout.strip()
        return state if state in {"running", "degraded", "maintenance"} else ""


_INSIDE = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root")


@contextmanager
def booted(release: str, *, hardware: Path | None = None, of: type[C] = Container) -> Iterator[C]:  # type: ignore[assignment]
    """A running Debian, gone with the block. ``hardware``: a folder whose sys/ is bound over the container's."""
    binds = [f"--bind={hardware}:{_HARDWARE}"] if hardware else []
    with tempfile.TemporaryDirectory(prefix="gamesad-container-") as folder:
        place, console, name = Path(folder, "place"), Path(folder, "console"), Path(folder).name
        place.mkdir()
        script = _BOOT.format(
            place=place,
            debian=debian.root(release),
            name=name,
            release=release,
            binds=shlex.join(binds),
        )
        alone = ["setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--propagation=private"]
        with console.open("wb") as output:
            process = subprocess.Popen(
                [*alone, "sh", "-c", script],
                env={**os.environ, **_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        container = of(release, process, console)
        try:
            container.wait_running()
            if hardware:
                container.tell("sh", "-c", _PLUG)
            yield container
        finally:
            container.stop()
            # It stays where a process hangs in a driver, after the kill of such a container.
            line = ["unshare", "--mount", "sh", "-c", _REMOVE_GROUP.format(place=place, name=name)]
            subprocess.run(line, capture_output=True, check=False)


def eventually(ask: Callable[[], T], what: str, timeout_s: float = PATIENCE_S) -> T:
    """The first answer that is true; fails when none is in time."""
    deadline_s, pause_s = time.monotonic() + timeout_s, 0.01
    while not (answer := ask()):
        assert time.monotonic() < deadline_s, f"{what} did not come in {timeout_s:g} s"
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.2)  # asking a container starts programs, which take the time from who is awaited
    return answer
