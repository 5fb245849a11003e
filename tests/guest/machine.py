"""A guest: Debian's stock kernel on an emulated laptop whose hardware the tests hold in their hands."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from tests.guest import chips, image
from tests.guest.agent import Agent, Ran
from tests.guest.firmware import ADDRESS, Firmware, make_memory
from tests.guest.kernel import Kernel, kernel
from tests.guest.qmp import Qmp
from tests.support.cache import cached

_HERE = Path(__file__).parent
_MEMORY_MIB = 768
_BOOT_S = 240.0
_PORTS = (0xE0, 0xE1)
"""Where the processors' performance states are written to, one port each; see laptop.asl."""
_SNAPSHOT = "saved"
_SAVED_PSTATES = 30
_SLEEP_HOOK = "/usr/lib/systemd/system-sleep/look"
_KEYS = {" ": "spc", "\n": "ret"}
_COMMAND_LINE = (
    f"root=/dev/vda rw memmap=64K$0x{ADDRESS:x} console=ttyS0 loglevel=3 systemd.show_status=no "
    "systemd.log_level=warning mitigations=off nokaslr selinux=0 apparmor=0 audit=0 random.trust_cpu=on "
    "rcupdate.rcu_expedited=1 no_timer_check tsc=reliable acpi_backlight=native suspend.pm_test_delay=1"
)


class Guest:
    """A running guest. ``firmware`` is its hardware; everything else acts inside it, as root."""

    def __init__(self, release: str = "12", *, snapshot: Path | None = None, fresh: bool = False) -> None:
        """``fresh``: boots, which takes 20 s; else goes on where this snapshot was taken, or that of such a boot."""
        self.release = release
        self.kernel: Kernel = kernel(release)
        self._folder = Path(tempfile.mkdtemp(prefix="gamesad-guest-"))
        try:
            self._start(None if fresh else snapshot or booted(release))
        except BaseException:
            self.close()
            raise

    def _start(self, snapshot: Path | None) -> None:
        disk = self._folder / "disk.qcow2"
        if snapshot:
            shutil.copy(snapshot / disk.name, disk)
        else:
            back = ["-b", str(image.disk(self.release, self.kernel)), "-F", "raw"]
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *back, disk], check=True)
        memory = make_memory(_place(self._folder), _MEMORY_MIB)
        self.firmware = Firmware(memory)
        self.firmware.start()
        line = _qemu(self._folder, memory, disk, image.initrd(self.release, self.kernel), self.kernel)
        self._told = (self._folder / "qemu.log").open("wb")
        self._process = subprocess.Popen(
            [*line, *(["-loadvm", _SNAPSHOT] if snapshot else [])],
            stdin=subprocess.DEVNULL,
            stdout=self._told,
            stderr=subprocess.STDOUT,
        )
        try:
            self.qmp = Qmp(self._folder / "qmp")
            self.agent = Agent(self._folder / "agent")
        except (AssertionError, OSError) as error:
            told = (self._folder / "qemu.log").read_text(errors="replace")
            raise AssertionError(f"QEMU does not run: {error}\n{told}") from error
        finally:
            memory.unlink()  # QEMU and we have it mapped, and it goes with us
        self.firmware.start()
        self.qmp.do("cont")
        if snapshot:
            self._set_pstates(_SAVED_PSTATES)
            self.agent.set_clock()
        else:
            self._wait_booted()

    def _wait_booted(self) -> None:
        try:
            self.agent.do([("list", "/")], _BOOT_S)
        except AssertionError as error:
            raise AssertionError(f"{error}; its console:\n{self.console()[-3000:]}") from error
        self.agent.set_clock()
        state = self.run("systemctl is-system-running --wait", timeout_s=_BOOT_S, check=False).out.strip()
        assert state == "running", f"{state}: " + self.run("systemctl --failed --plain --no-legend").out + self.log()
        self.run(_SETTLE)

    def run(self, command: str, *, timeout_s: float = 60.0, check: bool = True, user: str = "") -> Ran:
        return self.agent.run(command, timeout_s=timeout_s, check=check, user=user)

    def read(self, path: str) -> str:
        return self.agent.read(path)

    def write(self, path: str, text: str) -> str:
        return self.agent.write(path, text)

    def write_all(self, texts: Iterable[tuple[str, str]]) -> list[str]:
        return self.agent.write_all(texts)

    def push(self, files: Iterable[Path], folder: str) -> None:
        self.agent.push(files, folder)

    @property
    def pstates(self) -> list[int]:
        """What was last written to each processor's performance register: tenths of a gigahertz."""
        return [int(self.qmp.type(f"i /1xb 0x{port:x}").split("=")[1], 16) for port in _PORTS]

    def _set_pstates(self, value: int) -> None:
        """The registers forget when a snapshot is loaded."""
        for port in _PORTS:
            self.qmp.type(f"o /1 0x{port:x} 0x{value:x}")

    def power_cut(self, then: Callable[[], None] = lambda: None) -> None:
        """The machine loses its power, and boots with what is on its disk and in its firmware. ``then``: meanwhile."""
        self.qmp.do("system_reset")
        then()
        self.agent.close()
        self.agent = Agent(self._folder / "agent")
        self._wait_booted()

    def sleep(self, paths: Iterable[str]) -> tuple[list[str], list[str]]:
        """Suspends to idle by logind's hand and wakes a second later (the kernel's devices test); what was in these
        files just before and just after."""
        self.agent.put(_SLEEP_HOOK, f"#!/bin/sh\ncat {' '.join(paths)} >/run/$1-sleep\n")
        # in one command: what is on its way to or from the agent while its port sleeps is lost
        self.run(
            "rm -f /run/*-sleep; echo devices >/sys/power/pm_test; systemctl suspend; "
            "until [ -e /run/post-sleep ]; do sleep 0.1; done; echo none >/sys/power/pm_test; sleep 1"
        )
        before, after = self.agent.read_all(["/run/pre-sleep", "/run/post-sleep"])
        return before.split("\n"), after.split("\n")

    def type(self, text: str) -> None:
        """Types lower-case letters, blanks and new lines on its keyboard, which is at tty1."""
        for letter in text:
            self.qmp.type(f"sendkey {_KEYS.get(letter, letter)} 20")
            time.sleep(0.06)

    def plug_nvme(self) -> None:
        """A disk with a temperature sensor: ``nvme`` among the hwmon chips."""
        node = f"nvme-{time.monotonic_ns()}"  # that of one unplugged before may still be there
        self.qmp.do("blockdev-add", driver="null-co", node_name=node, size=64 << 20, read_zeroes=True)
        self.qmp.do("device_add", driver="nvme", id="nvme", drive=node, serial="gamesad-nvme")

    def unplug_nvme(self) -> None:
        self.qmp.do("device_del", id="nvme")

    def save(self, folder: Path) -> None:
        """Takes a snapshot, to go on from with ``Guest(snapshot=folder)``, and ends."""
        self.run("sync")
        assert self.pstates == [_SAVED_PSTATES] * len(_PORTS), "a snapshot is taken at full speed"
        self.qmp.do("stop")
        self.qmp.type(f"delvm {_SNAPSHOT}")
        self.qmp.type(f"savevm {_SNAPSHOT}")
        shutil.copy(self._folder / "disk.qcow2", folder)

    def console(self) -> str:
        """What the kernel told on its serial line."""
        return (self._folder / "console.log").read_text(errors="replace")

    def log(self) -> str:
        """The end of the journal, the kernel's lines among it."""
        return self.run("journalctl -b --no-pager -o short-monotonic -n 80", check=False).out

    @property
    def console_socket(self) -> Path:
        return self._folder / "console"

    def close(self) -> None:
        """Pulls the plug, and leaves nothing behind."""
        if process := getattr(self, "_process", None):
            process.kill()
            process.wait()
            self._told.close()
        for name in ("agent", "qmp", "firmware"):
            if one := getattr(self, name, None):
                one.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_SETTLE = f"""
{chips.SETTLE}
echo performance | tee /sys/devices/system/cpu/cpufreq/policy*/scaling_governor
"""
"""At full speed everything that slows the processor down shows in its registers."""


def wait_until(holds: Callable[[], object], what: str, timeout_s: float = 60.0, pause_s: float = 0.02) -> float:
    """Seconds until it held."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < timeout_s, f"not within {timeout_s} s: {what}"
        time.sleep(pause_s)
    return time.monotonic() - begun


def _qemu(folder: Path, memory: Path, disk: Path, initrd: Path, boots: Kernel) -> list[str]:
    """Paused until it is told to go on."""
    return [
        *(
            "setpriv",
            "--pdeathsig=KILL",
            "qemu-system-x86_64",
            "-S",
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
        ),
        # An emulated processor, also where /dev/kvm exists: that may be there and of no use to a stock kernel. The
        # model is one that intel_rapl_common knows, for tests/guest/module; the device edu is for its card.
        # Model 42 (Sandy Bridge) is one that intel_rapl_common knows.
        *("-accel", "tcg,thread=multi,tb-size=256", "-cpu", "Nehalem,model=42", "-smp", "2", "-m", f"{_MEMORY_MIB}M"),
        *("-machine", "pc,memory-backend=ram,usb=off,hpet=off,vmport=off", "-rtc", "base=utc"),
        *("-object", f"memory-backend-file,id=ram,size={_MEMORY_MIB}M,mem-path={memory},share=on"),
        *("-kernel", str(boots.image), "-initrd", str(initrd), "-append", _COMMAND_LINE),
        *("-acpitable", f"file={image.firmware_table()}", "-device", "pc-testdev", "-device", "edu,id=card"),
        *("-smbios", "type=0,vendor=LENOVO,version=N1QET00W (1.00),date=01/01/2024"),
        *("-smbios", "type=1,manufacturer=LENOVO,version=ThinkPad X1,product=20FBGAMESA"),
        *("-drive", f"file={disk},if=none,id=root,cache=unsafe,discard=unmap"),
        *("-device", "virtio-blk-pci,drive=root"),
        *("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=agent,name=agent"),
        *("-chardev", f"socket,id=agent,path={folder / 'agent'},server=on,wait=off"),
        *("-chardev", f"socket,id=console,path={folder / 'console'},server=on,wait=off,logfile={folder}/console.log"),
        *("-serial", "chardev:console", "-qmp", f"unix:{folder / 'qmp'},server=on,wait=off"),
    ]


def booted(release: str) -> Path:
    """The snapshot of a guest that has just booted."""
    boots = kernel(release)
    disk = image.disk(release, boots)

    def make(folder: Path) -> None:
        with Guest(release, fresh=True) as guest:
            # What every test will read from the disk is in memory already.
            guest.run("python3 -c 'import numpy, dbus_next.aio, systemd.journal, psutil, pyudev'")
            guest.save(folder)

    version = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, check=True).stdout
    inputs = [version, str(disk), str(image.initrd(release, boots)), image.firmware_table(), str(boots.image)]
    sources = [Path(__file__), Path(chips.__file__), _HERE / "firmware.py", _HERE / "kernel.py"]
    return cached(f"booted-{release}", [*inputs, *sources], make)


def _place(otherwise: Path) -> Path:
    """Where the guest's memory is memory, if there is enough of it."""
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return otherwise
    return Path("/dev/shm") if room.f_bavail * room.f_frsize > 3 * _MEMORY_MIB << 20 else otherwise
