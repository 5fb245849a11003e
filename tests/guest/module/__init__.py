"""Three kernel modules, for tests only: RAPL, a graphics card, a Super-I/O chip, each registered with the real cores.

What each is and how it is steered stands at the head of its source. They are built against the headers of the kernel
that is to load them.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.guest.machine import Guest
from tests.support import debian
from tests.support.cache import cached

NAMES = ("gamesad_rapl", "gamesad_card", "gamesad_superio")
NEEDS = ("intel_rapl_common", "drm")
"""The kernel's own modules to load before."""

FOLDER = "/root/modules"
"""Where ``load`` puts them in the guest."""

_HERE = Path(__file__).parent
_SOURCES = (_HERE / "Kbuild", *(_HERE / f"{name}.c" for name in NAMES))
_TOOLCHAIN = (
    *("base-files", "coreutils", "dash", "diffutils", "findutils", "gawk", "grep", "sed"),
    *("gcc-14", "libelf1t64", "make"),
)
_OPTIONS = ("-s", "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules")  # type information takes pahole and the kernel's own


def build(headers: Path, release: str) -> Path:
    """A folder with the .ko files for kernel ``release`` (``6.1.0-56-amd64``). Four seconds, once.

    ``headers`` is the unpacked linux-headers-RELEASE, with its common package and linux-kbuild where apt puts them
    from there. Where the kbuild tools need a newer C library than this machine has (Debian 13's on Debian 12), they run
    in a root of their own: half a minute more, once.
    """

    def make(folder: Path) -> None:
        for source in _SOURCES:
            (folder / source.name).write_bytes(source.read_bytes())
        if _tools_run_here(headers):
            line = ["make", "-C", str(headers), f"M={folder}", *_OPTIONS]
        else:
            line = _in_a_root(headers, folder)
        made = subprocess.run(line, capture_output=True, text=True, check=False)
        assert made.returncode == 0, f"the modules were not built for {release}:\n{made.stdout}{made.stderr}"
        for path in folder.iterdir():
            if path.name.removesuffix(".ko") not in NAMES:
                path.unlink()

    return cached(f"module-{release}", [release, *_SOURCES, Path(__file__)], make)


def load(guest: Guest, *names: str, options: str = "") -> None:
    """These (or all three) in the guest, with their hardware as it is at the start. ``options`` go to the last."""
    names = names or NAMES
    built = build(guest.kernel.headers, guest.kernel.version)
    guest.push([built / f"{name}.ko" for name in names], FOLDER)
    inserted = "; ".join(f"insmod {name}.ko" for name in names)
    guest.run(f"set -e; modprobe -a {' '.join(NEEDS)}; cd {FOLDER}; {inserted} {options}")


def _tools_run_here(headers: Path) -> bool:
    tool = headers / "scripts/mod/modpost.real-lsb-64"
    return subprocess.run([tool], capture_output=True, check=False).returncode == 0


def _in_a_root(headers: Path, folder: Path) -> list[str]:
    """The same make in a folder of Debian 13 with its own compiler: packages only unpacked, in a mount namespace."""

    def make(root: Path) -> None:
        line = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={','.join(_TOOLCHAIN)}", suite, str(root)]
        ran = subprocess.run(line, input=debian.sources(suite), capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr

    suite = debian.SUITES["13"]
    root = cached("toolchain", [suite, *_TOOLCHAIN], make)
    inside = f"/home/{headers.relative_to(headers.parents[2])}"
    mounts = {headers.parents[2]: "home", folder: "root", Path("/dev"): "dev"}
    steps = [f"mount --bind {outside} {root}/{place}" for outside, place in mounts.items()]
    steps.append(f"exec chroot {root} make -C {inside} M=/root AWK=gawk {' '.join(_OPTIONS)}")
    return ["unshare", "--mount", "sh", "-ec", "\n".join(steps)]
