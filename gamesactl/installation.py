"""What of gamesad is installed and running, as anybody can see it; findings like those of ``gamesad --probe``."""

from __future__ import annotations

import grp
import os
import subprocess
from collections.abc import Iterator, Mapping

from gamesactl import segment
from gamesactl.errors import Unreachable
from gamesactl.render import Fields, text
from gamesactl.values import amount, clock
from gamesad import __version__
from gamesad.crystal.errors import CrystalError

PART = "service"
SYSTEMD = "/run/systemd/system"
BUS_POLICY = "dbus-1/system.d/org.gamesa.Gamesad1.conf"
BUS_FOLDERS = ("/usr/share", "/usr/local/share", "/etc")
POLKIT_POLICY = "polkit-1/actions/org.gamesa.Gamesad1.policy"
POLKIT_FOLDERS = ("/usr/share", "/usr/local/share", "/etc", "/run")
_RULE = "/usr/share/doc/gamesad/examples/50-gamesad-group.rules"
_GROUP = "gamesad"
_SYSTEMCTL_S = 5.0


def finding(level: str, sentence: str, remedy: str = "") -> dict[str, str]:
    """``level`` is good, note, missing or fault."""
    return {"Part": PART, "Level": level, "Text": sentence, "Remedy": remedy}


def findings(status: Fields | None) -> Iterator[dict[str, str]]:
    """``status`` is the running daemon's, None where it cannot be reached."""
    if status is not None:
        yield from _running(status)
    yield from _unit(running=status is not None)
    yield from _segment(status)
    yield from _files()
    yield from _person(os.environ)


def _running(status: Fields) -> Iterator[dict[str, str]]:
    version, mode = text(status, "Version"), text(status, "Mode")
    if version != __version__:
        remedy = "restart the one that is older: sudo systemctl restart gamesad"
        yield finding("note", f"the daemon is {version}, and this gamesactl is {__version__}", remedy)
    if mode == "observe":
        why = text(status, "ObserveReason") or "it does not say why"
        yield finding("fault", f"the daemon only watches: {why}")
    elif mode == "failsafe":
        yield finding("fault", f"the daemon holds the machine at its failsafe settings: {text(status, 'Explanation')}")
    elif "PausedUntil" in status:
        yield finding("note", "the daemon is paused: the machine is as it was found", "gamesactl resume")
    else:
        yield finding("good", f"gamesad {version} is running and regulates ({text(status, 'ActiveProfile')})")
    if status.get("Simulated"):
        yield finding("note", f"what it regulates is simulated ({text(status, 'Machine')}), and not this machine")


def _unit(*, running: bool) -> Iterator[dict[str, str]]:
    """Whether it starts by itself."""
    if not os.path.isdir(SYSTEMD):
        level = "note" if running else "fault"
        yield finding(level, "systemd does not run here, so nothing starts gamesad", "start it yourself: gamesad")
        return
    state = _enabled()
    if state == "enabled":
        if not running:
            remedy = "sudo systemctl start gamesad; why it stopped: journalctl -u gamesad"
            yield finding("fault", "gamesad is enabled, and is not running or not on the bus", remedy)
    elif state in ("masked", "masked-runtime"):
        remedy = "sudo systemctl unmask gamesad && sudo systemctl enable --now gamesad"
        yield finding("fault", "gamesad's unit is masked: it cannot be started", remedy)
    elif state in ("", "not-found"):
        yield finding(
            "note" if running else "fault", "systemd knows no unit gamesad", "sudo gamesad-setup install, or install it"
        )
    else:
        sentence = f"gamesad is {state}: it does not start with the machine"
        yield finding("missing" if running else "fault", sentence, "sudo systemctl enable --now gamesad")


def _enabled() -> str:
    """systemctl's word; empty when it has none."""
    try:
        ran = subprocess.run(
            ["systemctl", "is-enabled", "gamesad.service"],  # noqa: S607 - the system's own
            capture_output=True,
            text=True,
            timeout=_SYSTEMCTL_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip()


def _segment(status: Fields | None) -> Iterator[dict[str, str]]:
    """Whether numbers can be read from shared memory, and why not. Nobody misses it where the daemon is away."""
    where = segment.path()
    if not where:
        return
    try:
        crystal = segment.attach()
        stale_s = crystal.stale_since_s
        found = os.stat(where)
    except Unreachable:
        if status is not None:
            said = f"gamesactl asks the bus, there is no segment at {where}"
            yield finding("note", said, "why: journalctl -u gamesad")
        return
    except (CrystalError, OSError) as error:
        remedy = f"sudo systemctl restart gamesad; who put it there: ls -l {where}"
        yield finding("missing", f"the segment is not used: {error}", remedy)
        return
    said = f"{where} has {amount(found.st_size, 'B')} and belongs to uid {found.st_uid}"
    if stale_s is not None:
        remedy = "sudo systemctl restart gamesad; what happened: journalctl -u gamesad"
        yield finding("missing", f"the segment is stale since {clock(stale_s)}: {said}", remedy)
    else:
        yield finding("good", f"readings are in shared memory: {said}")


def _files() -> Iterator[dict[str, str]]:
    """What lets it take its name, and lets people other than root change anything."""
    if not _is_in(BUS_FOLDERS, BUS_POLICY):
        sentence = "the bus policy is not installed: the system bus lets gamesad have no name"
        yield finding("missing", sentence, "sudo gamesad-setup install, or install the package again")
    if not _is_in(POLKIT_FOLDERS, POLKIT_POLICY):
        sentence = "the polkit policy is not installed: only root may change anything"
        yield finding("missing", sentence, "sudo gamesad-setup install, or install the package again")


def _is_in(folders: tuple[str, ...], file: str) -> bool:
    return any(os.path.isfile(f"{folder}/{file}") for folder in folders)


def _person(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """What this user may do. A session with a seat (a desktop) may choose profiles; one over ssh may not."""
    if os.geteuid() == 0 or environment.get("XDG_SEAT"):
        return
    try:
        group = grp.getgrnam(_GROUP).gr_gid
    except KeyError:
        group = None
    if group is not None and group in (os.getgid(), *os.getgroups()):
        yield finding("good", f"you are in the group {_GROUP}; with its polkit rule you may choose profiles from here")
        return
    sentence = "this session has no seat (ssh, a container): you may look, and change things as root only"
    yield finding("note", sentence, f"for a group of people: {_RULE}")
