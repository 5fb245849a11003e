"""What ``gamesad --probe`` says of a tree; ``python -m tests.support.probing`` writes what is expected anew."""

from __future__ import annotations

import argparse
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from gamesad.__main__ import _parser
from gamesad.probe.report import lines, report
from gamesad.probe.seen import look
from tests.support.boards import BOARDS
from tests.support.machines import machine_roots, tree

EXPECTED = Path(__file__).parents[1] / "probe" / "expected"


def arguments(root: Path, *options: str) -> argparse.Namespace:
    """Those of ``gamesad --probe`` on a tree, without any configuration of this machine."""
    empty = str(EXPECTED / "empty.toml")
    return _parser().parse_args(["--probe", "--root", str(root), "--config", empty, *options])


def told(root: Path, *options: str) -> dict[str, Any]:
    with ExitStack() as stack:
        return report(look(arguments(root, *options), stack))


def text(root: Path) -> str:
    return "\n".join(lines(told(root))) + "\n"


def board_roots(folder: Path) -> dict[str, Path]:
    return {f"board-{name}": tree(folder / name, entries) for name, entries in BOARDS.items()}


def main() -> None:
    default = Path(__file__).parents[2] / ".." / "shared" / "recordings"
    recordings = Path(os.environ.get("GAMESAD_RECORDINGS", default)).resolve()
    with tempfile.TemporaryDirectory() as folder:
        roots = machine_roots(recordings, Path(folder) / "recorded") | board_roots(Path(folder))
        for name, root in roots.items():
            (EXPECTED / f"{name}.txt").write_text(text(root))


if __name__ == "__main__":
    main()
