"""Debian's stock kernel, only unpacked: an uncompressed image to boot, the modules that guests use, the headers."""

from __future__ import annotations

import lzma
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.support import debian
from tests.support.cache import cached

BOOT = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
"""What the initrd loads to reach the root file system."""

MODULES = (
    *BOOT,
    *("virtio_console", "autofs4", "overlay", "loop"),
    *("acpi-cpufreq", "cpufreq_powersave", "cpufreq_ondemand", "cpufreq_conservative", "cpufreq_userspace"),
    *("ac", "battery", "fan", "button", "thinkpad_acpi", "nvram"),
    *("nvme", "i2c-stub", "i2c-dev", "lm75", "adt7475", "amc6821", "lm63"),
    # what the modules of tests/guest/module stand on
    *("drm", "intel_rapl_common"),
)


class Kernel:
    """What ``kernel`` made in this folder."""

    def __init__(self, folder: Path) -> None:
        self.image = folder / "vmlinux"
        self.modules = next((folder / "lib/modules").iterdir())
        self.version = self.modules.name
        self.headers = folder / "headers/usr/src" / f"linux-headers-{self.version}"

    def load_order(self, names: Iterable[str]) -> list[Path]:
        """The files of these modules, each after what it depends on."""
        return [self.modules / one for one in _load_order(self.modules, names)]


def kernel(release: str) -> Kernel:
    """The kernel that Debian ``release`` ("12", "13") installs by default."""

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="gamesad-kernel-") as scratch:
            unpacked, headers = Path(scratch) / "image", folder / "headers"
            for package in _download(release, Path(scratch)):
                into = unpacked if package.name.startswith("linux-image") else headers
                subprocess.run(["dpkg-deb", "-x", package, into], check=True)
            if not (unpacked / "lib").exists():  # Debian 13 packs usr/lib
                (unpacked / "lib").symlink_to("usr/lib")
            version = next((unpacked / "lib/modules").iterdir()).name
            (folder / "vmlinux").write_bytes(_uncompressed((unpacked / f"boot/vmlinuz-{version}").read_bytes()))
            _keep_modules(unpacked, version, folder)
            _make_relocatable(headers)

    return Kernel(cached(f"kernel-{release}", [release, Path(__file__), Path(debian.__file__)], make))


def headers(release: str) -> Path:
    """The folder to build modules against: ``make -C THIS M=...``. gcc and make are not in it."""
    return kernel(release).headers


def _download(release: str, scratch: Path) -> list[Path]:
    """The packages, by an apt of its own: the machine's sources and state stay as they are."""
    for folder in ("parts", "lists/partial", "cache/archives/partial", "debs"):
        (scratch / folder).mkdir(parents=True)
    (scratch / "parts/debian.sources").write_text(debian.sources(debian.SUITES[release]))
    settings = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": scratch / "parts",
        "Dir::State::lists": scratch / "lists",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": scratch / "cache",
        "APT::Sandbox::User": "root",
    }
    options = [f"-o{key}={value}" for key, value in settings.items()]
    _run(["apt-get", *options, "update", "-qq"], scratch)
    wants = [f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")]
    closure = _run(
        ["apt-cache", *options, "depends", "--recurse", *wants, "linux-image-amd64", "linux-headers-amd64"], scratch
    )
    names = re.findall(r"^(linux-(?:image-\d|headers-\d|kbuild)\S*)$", closure, re.MULTILINE)
    _run(["apt-get", *options, "download", "-qq", *names], scratch / "debs")
    return sorted((scratch / "debs").iterdir())


def _run(line: list[str | Path], folder: Path) -> str:
    ran = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{line[0]} failed:\n{ran.stderr}"
    return ran.stdout


def _uncompressed(bzimage: bytes) -> bytes:
    """The ELF file within (Documentation/arch/x86/boot.rst: payload_offset and payload_length).

    QEMU starts it by PVH at once; a bzImage would spend seconds decompressing itself under emulation.
    """
    start = (bzimage[0x1F1] + 1) * 512 + int.from_bytes(bzimage[0x248:0x24C], "little")
    payload = bzimage[start : start + int.from_bytes(bzimage[0x24C:0x250], "little")]
    if payload.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(payload)
    assert payload.startswith(b"\x28\xb5\x2f\xfd"), f"a kernel packed with neither xz nor zstd: {payload[:6].hex()}"
    return subprocess.run(["zstd", "-dcq"], input=payload[:-4], stdout=subprocess.PIPE, check=True).stdout


def _keep_modules(unpacked: Path, version: str, folder: Path) -> None:
    """Those of ``MODULES`` and what they depend on, packed as they came, in the folder's lib/modules."""
    subprocess.run(["depmod", "-b", unpacked, version], check=True)
    whole, kept = (home / "lib/modules" / version for home in (unpacked, folder))
    for one in (*_load_order(whole, MODULES), "modules.order", "modules.builtin", "modules.builtin.modinfo"):
        (kept / one).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(whole / one, kept / one)
    subprocess.run(["depmod", "-b", folder, version], check=True)


def _load_order(folder: Path, names: Iterable[str]) -> list[str]:
    # modules.dep: a module, and what it depends on with the deepest last
    lines = [line.split(":") for line in (folder / "modules.dep").read_text().splitlines()]
    known = {_name(built_in): [] for built_in in (folder / "modules.builtin").read_text().splitlines()}
    known |= {_name(module): [*reversed(needs.split()), module] for module, needs in lines}
    return list(dict.fromkeys(one for name in names for one in known[name.replace("-", "_")]))


def _name(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0].replace("-", "_")


def _make_relocatable(headers: Path) -> None:
    """The packages name each other by absolute paths."""
    here = "$(dir $(lastword $(MAKEFILE_LIST)))../"
    for makefile in (headers / "usr/src").glob("linux-headers-*-*/Makefile"):
        makefile.write_text(makefile.read_text().replace("include /usr/src/", f"include {here}"))
