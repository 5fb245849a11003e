"""The Debian packages of this tree, built once for all layers that install them."""

from __future__ import annotations

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

    files = [path for name in _MADE_OF for path in sorted((ROOT / name).rglob("*")) if _counts(path)]
    files += [ROOT / name for name in _ALSO]
    inputs = [one for path in files for one in (f"{path.relative_to(ROOT)} {path.stat().st_mode & 0o111}", path)]
    folder = cached(f"debs-{version or 'own'}", [version or "", *inputs], make)
    return [next(folder.glob(f"{name}_*_all.deb")) for name in PACKAGES]


def _counts(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and ".egg-info" not in str(path)
