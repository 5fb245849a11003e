"""What is said of every recorded machine and of boards made by hand, word for word.

After a change that is meant: ``python -m tests.support.probing`` writes them anew; read the difference.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.probing import EXPECTED, board_roots, text


def test_of_every_recorded_machine(machines: dict[str, Path]) -> None:
    assert {name: text(root) for name, root in machines.items()} == _expected(machines)


def test_of_every_board(tmp_path: Path) -> None:
    roots = board_roots(tmp_path)
    assert {name: text(root) for name, root in roots.items()} == _expected(roots)


def test_nothing_is_expected_of_a_machine_that_there_is_not(machines: dict[str, Path], tmp_path: Path) -> None:
    assert {path.stem for path in EXPECTED.glob("*.txt")} == {*machines, *board_roots(tmp_path)}


def _expected(roots: dict[str, Path]) -> dict[str, str]:
    return {name: (EXPECTED / f"{name}.txt").read_text() for name in roots}
