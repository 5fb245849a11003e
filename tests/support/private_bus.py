"""A private bus of type *system* with the real polkitd, in a mount namespace of its own (no systemd, no users made).

``with system_bus() as bus:`` gives ``bus.address`` (for DBUS_SYSTEM_BUS_ADDRESS), ``bus.run_as("nobody", [...])``, and
the ways a bus goes wrong: ``kill_bus``/``start_bus`` (same address again), ``freeze_bus``/``thaw_bus``,
``kill_polkit``/``start_polkit``. Inside the namespace polkit knows our actions only, the shipped group rule, the rules
given, and two users who exist nowhere else: ``member`` (in the group gamesad) and ``stranger``.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
POLKITD = "/usr/lib/polkit-1/polkitd"
USERS = {"root": 0, "nobody": 65534, "member": 51001, "stranger": 51002}
GROUP_ID = 51000
START_TIMEOUT_S = 60.0

_BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <auth>EXTERNAL</auth>
  <listen>unix:path={socket}</listen>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
  </policy>
  <policy user="root">
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Monitoring"/>
    <allow own="org.freedesktop.login1"/>
    <allow send_destination="org.freedesktop.login1"/>
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow own="com.redhat.tuned"/>
    <allow own="org.gamesa.Floor1"/>
    <allow send_destination="org.gamesa.Floor1"/>
  </policy>
  <include>/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>
  <include>{root}/systemd/org.gamesa.Gamesad1.conf</include>
</busconfig>
"""


class PrivateBus:
    """One dbus-daemon and one polkitd. Made by ``system_bus``."""

    def __init__(self, folder: Path, extra_rules: str) -> None:
        self._folder = folder
        self._bus: subprocess.Popen[bytes] | None = None
        self._polkit: subprocess.Popen[bytes] | None = None
        self.socket = folder / "socket"
        self.address = f"unix:path={self.socket}"
        folder.chmod(0o755)
        (folder / "bus.conf").write_text(_BUS_CONFIG.format(socket=self.socket, root=ROOT))
        _write_accounts(folder)
        for name in ("actions", "rules.d", "no-rules"):
            (folder / name).mkdir()
        (folder / "actions" / "org.gamesa.Gamesad1.policy").write_text(_shipped("org.gamesa.Gamesad1.policy"))
        (folder / "rules.d" / "50-gamesad-group.rules").write_text(_shipped("50-gamesad-group.rules"))
        (folder / "rules.d" / "10-test.rules").write_text(extra_rules)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which programs find this bus as the system bus."""
        return {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.address}

    def command_as(self, user: str, command: Sequence[str]) -> list[str]:
        """The command that runs ``command`` as a user of this bus, without supplementary groups."""
        uid = USERS[user]
        return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--", *command]

    def run_as(self, user: str, command: Sequence[str], timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Runs a program to its end as a user on this bus; never raises for its exit code."""
        return subprocess.run(
            self.command_as(user, command),
            env=self.environment, capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip

    def start_bus(self) -> None:
        """Starts dbus-daemon and waits until it says where it listens."""
        reader, writer = os.pipe()
        command = ["dbus-daemon", f"--config-file={self._folder}/bus.conf", "--nofork", "--nopidfile"]
        try:
            self._bus = self._spawn([*command, f"--print-address={writer}"], pass_fds=(writer,))
        finally:
            os.close(writer)
        with open(reader, "rb") as pipe:
            if not pipe.readline():
                raise RuntimeError(f"dbus-daemon did not start: {(self._folder / 'log').read_text()}")

    def start_polkit(self) -> None:
        """Starts polkitd and waits until it owns its name."""
        self._polkit = self._spawn([POLKITD, "--no-debug"])
        self.wait_for_name("org.freedesktop.PolicyKit1")

    def wait_for_name(self, name: str) -> None:
        """Waits until somebody owns the name; CalledProcessError after ten seconds."""
        command = ["gdbus", "wait", "--system", f"--timeout={START_TIMEOUT_S:.0f}", name]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)

    def kill_bus(self) -> None:
        """Ends the bus without a word; polkitd, which leaves with its bus, is ended too."""
        _end(self._bus, signal.SIGKILL)
        self._bus = None
        self.kill_polkit()

    def kill_polkit(self) -> None:
        _end(self._polkit, signal.SIGKILL)
        self._polkit = None

    def freeze_bus(self) -> None:
        """Stops the bus from reading and writing; connections stay open."""
        if self._bus is not None:
            self._bus.send_signal(signal.SIGSTOP)

    def thaw_bus(self) -> None:
        if self._bus is not None:
            self._bus.send_signal(signal.SIGCONT)

    def freeze_polkit(self) -> None:
        """Leaves polkit on the bus, answering nothing."""
        if self._polkit is not None:
            self._polkit.send_signal(signal.SIGSTOP)

    def thaw_polkit(self) -> None:
        if self._polkit is not None:
            self._polkit.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill_bus()

    def _spawn(self, command: list[str], pass_fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        folder = shlex.quote(str(self._folder))
        script = f"""set -e
            mount -t tmpfs none /usr/share/polkit-1/actions && cp {folder}/actions/* /usr/share/polkit-1/actions
            for rules in /etc/polkit-1/rules.d /usr/share/polkit-1/rules.d; do
                mkdir -p $rules; mount -t tmpfs none $rules; chmod 755 $rules
            done
            cp {folder}/rules.d/* /etc/polkit-1/rules.d
            mount --bind {folder}/passwd /etc/passwd
            mount --bind {folder}/group /etc/group
            exec {shlex.join(command)}"""
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
                env=self.environment, pass_fds=pass_fds, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip


@contextmanager
def system_bus(*, extra_rules: str = "", polkit: bool = True) -> Iterator[PrivateBus]:
    """A private system bus with polkitd (unless ``polkit`` is False); ``extra_rules`` is JavaScript for polkit.

    Needs root (``missing`` says what else). Everything is ended and removed at the end.
    """
    with tempfile.TemporaryDirectory(prefix="gamesad-bus-") as folder:
        bus = PrivateBus(Path(folder), extra_rules)
        try:
            bus.start_bus()
            if polkit:
                bus.start_polkit()
            yield bus
        finally:
            bus.close()


def missing() -> str:
    """Why no private bus can be had here, or an empty text."""
    if os.geteuid() != 0:
        return "a private system bus with polkit needs root (mount namespaces)"
    paths = ["unshare", "setpriv", "dbus-daemon", "gdbus", POLKITD]
    absent = [path for path in paths if shutil.which(path) is None]
    return f"a private system bus needs {', '.join(absent)}" if absent else ""


def _shipped(name: str) -> str:
    return (ROOT / "systemd" / name).read_text()


def _write_accounts(folder: Path) -> None:
    """The accounts of this machine and two more, seen by the bus and by polkit only."""
    invented = {name: uid for name, uid in USERS.items() if name in ("member", "stranger")}
    passwd = "".join(f"{name}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin\n" for name, uid in invented.items())
    group = "".join(f"{name}:x:{uid}:\n" for name, uid in invented.items()) + f"gamesad:x:{GROUP_ID}:member\n"
    (folder / "passwd").write_text(Path("/etc/passwd").read_text() + passwd)
    (folder / "group").write_text(Path("/etc/group").read_text() + group)


def _end(process: subprocess.Popen[bytes] | None, how: signal.Signals) -> None:
    if process is not None:
        process.send_signal(how)
        process.wait()
