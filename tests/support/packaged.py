"""The project's packaging scripts, run as a person runs them, and what they install."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def script(
    name: str, *arguments: str, timeout_s: float = 120.0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs packaging/NAME with this Python and these variables."""
    inherited = {key: value for key, value in os.environ.items() if key not in {"DESTDIR", "PREFIX", "PYTHON"}}
    return subprocess.run(
        [ROOT / "packaging" / name, *arguments],
        env={**inherited, "PYTHON": sys.executable, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def tree(folder: Path) -> dict[str, str]:
    """Every path below the folder with what it is: for files the content, for folders their mode."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            what = f"link to {path.readlink()}"
        elif path.is_dir():
            what = f"folder {path.stat().st_mode:o}"
        else:
            what = f"file {path.stat().st_mode:o} {path.read_bytes().hex()}"
        found[str(path.relative_to(folder))] = what
    return found
