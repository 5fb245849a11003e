"""The Debian packages and the wheel of this tree, built once for all layers that install them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.cache import cached
from tests.support.packaged import ROOT, script

PACKAGES = ("python3-gamesad", "gamesad", "gamesactl")
_MADE_OF = ("gamesad", "gamesactl", "systemd", "docs", "packaging")
_ALSO = ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")


def built(version: str | None = None) -> list[Path]:
    """The .debs by packaging/build-deb, in the order of ``PACKAGES``; called ``version``, for tests of upgrades."""

    def make(folder: Path) -> None:
        named = ["--version", version] if version else []
        ran = script("build-deb", "--output", str(folder), *named)
        assert ran.returncode == 0, ran.stderr

    folder = cached(f"debs-{version or 'own'}", [version or "", *_inputs()], make)
    return [next(folder.glob(f"{name}_*_all.deb")) for name in PACKAGES]


def wheel() -> Path:
    """The wheel, built by Debian's Python without an archive."""

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as copy:
            export(Path(copy))
            line = ["/usr/bin/python3", "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, copy]
            ran = subprocess.run(line, cwd="/", capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stdout + ran.stderr

    return next(cached("wheel", _inputs(), make).glob("*.whl"))


def export(folder: Path) -> None:
    """Copies what the packages are made of, as an archive of the tree has it."""
    for name in _MADE_OF:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in _ALSO:
        shutil.copy(ROOT / name, folder)


def _inputs() -> list[str | Path]:
    files = [path for name in _MADE_OF for path in sorted((ROOT / name).rglob("*")) if _counts(path)]
    files += [ROOT / name for name in _ALSO]
    return [one for path in files for one in (f"{path.relative_to(ROOT)} {path.stat().st_mode & 0o111}", path)]


def _counts(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and ".egg-info" not in str(path)
