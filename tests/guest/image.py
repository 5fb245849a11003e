"""What a guest boots from: its root file system, the initrd that mounts it, and its firmware's table."""

from __future__ import annotations

import hashlib
import lzma
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.guest.kernel import BOOT, Kernel
from tests.support import debian
from tests.support.cache import cached

_HERE = Path(__file__).parent
_AGENT = "usr/lib/guest/agent.py"
_SIZE_MIB = 900
_FILES = {
    "etc/hostname": "guest\n",
    "etc/fstab": "",
    "etc/modules-load.d/guest.conf": "".join(
        f"{name}\n"
        for name in (
            *("acpi-cpufreq", "cpufreq_powersave", "cpufreq_ondemand", "cpufreq_conservative", "cpufreq_userspace"),
            *("ac", "battery", "fan", "thinkpad_acpi", "i2c-stub", "i2c-dev"),
        )
    ),
    "etc/modprobe.d/guest.conf": "options i2c-stub chip_addr=0x48,0x2e\n",
    "etc/systemd/system/getty@tty1.service.d/autologin.conf": (
        "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin player --noclear %I $TERM\n"
    ),
    "etc/systemd/sleep.conf.d/guest.conf": "[Sleep]\nSuspendState=freeze\n",
    "etc/systemd/journald.conf.d/guest.conf": (
        "[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nAudit=no\nSystemMaxUse=64M\n"
    ),
}
_USERS = {"player": "", "member": "gamesad", "stranger": ""}
"""Each with a group that it is in: one that sits at tty1, one that a polkit rule lets in, one that nothing does."""

_MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer"),
    *("systemd-tmpfiles-clean.timer", "e2scrub_reap.service", "systemd-timesyncd.service"),
    *("systemd-random-seed.service", "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service"),
    *("serial-getty@ttyS0.service", "systemd-pcrphase.service", "systemd-pcrphase-sysinit.service"),
    *("networking.service", "ifup@.service", "systemd-remount-fs.service", "systemd-machine-id-commit.service"),
    *("sys-kernel-debug.mount", "dev-mqueue.mount", "dev-hugepages.mount", "systemd-sysctl.service"),
    *(
        *(f"modprobe@{name}.service" for name in ("configfs", "dm_mod", "drm", "efi_pstore", "fuse", "loop")),
        "sys-fs-fuse-connections.mount",
    ),
    *("proc-sys-fs-binfmt_misc.automount", "systemd-binfmt.service"),
    *("systemd-rfkill.service", "systemd-rfkill.socket", "systemd-backlight@.service"),
)


def disk(release: str, kernel: Kernel) -> Path:
    """The root file system, to be used as the backing file of a disk of one's own."""

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="gamesad-disk-") as scratch:
            root = Path(scratch) / "root"
            subprocess.run(["cp", "-a", debian.root(release), root], check=True)
            modules = root / "usr/lib/modules"
            modules.mkdir(exist_ok=True)
            subprocess.run(["cp", "-a", kernel.modules, modules / kernel.version], check=True)
            _furnish(root)
            image = folder / "root.img"
            options = ["-q", "-F", "-t", "ext4", "-J", "size=8", "-m", "0", "-E", "lazy_itable_init=1,nodiscard"]
            subprocess.run(
                ["mke2fs", *options, "-d", root, image, f"{_SIZE_MIB}M"], check=True, stdout=subprocess.DEVNULL
            )

    inputs = [release, kernel.version, Path(__file__), Path(debian.__file__), _HERE / "kernel.py"]
    return cached(f"disk-{release}", [*inputs, *sorted((_HERE / "inside").iterdir())], make) / "root.img"


def initrd(release: str, kernel: Kernel) -> Path:
    """busybox, the modules of the root file system, and a script."""

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="gamesad-initrd-") as scratch:
            root = Path(scratch)
            for name in ("bin", "dev", "root", "modules"):
                (root / name).mkdir()
            shutil.copy("/bin/busybox", root / "bin/busybox")
            shutil.copy(_HERE / "inside/init", root / "init")
            (root / "init").chmod(0o755)
            order = kernel.load_order(BOOT)
            for module in order:
                content = module.read_bytes()
                content = lzma.decompress(content) if module.suffix == ".xz" else content
                (root / "modules" / module.name.removesuffix(".xz")).write_bytes(content)
            (root / "modules/order").write_text("".join(f"{one.name.removesuffix('.xz')}\n" for one in order))
            names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
            with (folder / "initrd").open("wb") as archive:
                line = ["cpio", "--quiet", "-o", "-H", "newc"]
                subprocess.run(line, cwd=root, input=names.encode(), stdout=archive, check=True)

    inputs = [release, kernel.version, Path(__file__), _HERE / "kernel.py", _HERE / "inside/init"]
    return cached(f"initrd-{release}", inputs, make) / "initrd"


def firmware_table() -> Path:
    """The SSDT with the guest's hardware."""
    source = _HERE / "acpi/laptop.asl"

    def make(folder: Path) -> None:
        ran = subprocess.run(["iasl", "-p", folder / "laptop", source], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout

    return cached("firmware", [source], make) / "laptop.aml"


def _furnish(root: Path) -> None:
    """The agent, the users, a console that logs in, and nothing that runs for its own sake."""
    for name, text in _FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "etc/machine-id").write_text(hashlib.sha256(b"gamesad's guest").hexdigest()[:32] + "\n")
    units = root / "etc/systemd/system"
    for unit in _MASKED:
        (units / unit).symlink_to("/dev/null")
    (root / _AGENT).parent.mkdir(parents=True)
    shutil.copy(_HERE / "inside/agent.py", root / _AGENT)
    shutil.copy(_HERE / "inside/agent.service", units)
    script = ["systemctl enable -q agent.service", "systemctl set-default -q multi-user.target", "groupadd -r gamesad"]
    for name, group in _USERS.items():
        script.append(f"useradd --create-home --shell /bin/bash {f'--groups {group} ' if group else ''}{name}")
    script.append("mkdir -p /var/log/journal && touch /etc/.updated /var/.updated")
    subprocess.run(["chroot", root, "sh", "-ec", "\n".join(script)], check=True)
