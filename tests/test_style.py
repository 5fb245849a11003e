"""What no linter checks: the habits of this project, on every file of it.

ruff, mypy and import-linter are run by packaging/test, once and with their own output.
"""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_FILE = 400
SHIPPED = sorted(path for package in ("gamesad", "gamesactl") for path in (ROOT / package).rglob("*.py"))
SOURCES = [*SHIPPED, *sorted((ROOT / "tests").rglob("*.py"))]
SCRIPTS = [
    *(ROOT / "packaging" / name for name in ("build-deb", "install", "run", "test", "uninstall")),
    ROOT / ".ci/run",
]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_module_says_what_it_is_and_fits_in_a_head(path: Path) -> None:
    text = path.read_text()
    assert not text or ast.get_docstring(ast.parse(text)), "no docstring"
    assert text.count("\n") <= LONGEST_FILE, f"longer than {LONGEST_FILE} lines: what noun is hiding in it?"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_what_is_silenced_is_named(path: Path) -> None:
    """Never a blanket ignore: each names the rule it silences."""
    for line in path.read_text().splitlines():
        for match in re.finditer(r"#\s*(type: ignore|noqa)(?P<rule>\[[\w, -]+\]|: [A-Z]+\d+)?", line):
            assert match["rule"], line


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_a_script_can_be_run_and_parsed(path: Path) -> None:
    assert path.stat().st_mode & 0o111, "not executable"
    assert path.read_text().startswith("#!/bin/bash\n")
    parsed = subprocess.run(["bash", "-n", path], capture_output=True, text=True, check=False)
    assert (parsed.returncode, parsed.stderr) == (0, "")


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_links_to_files_that_are_there(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_has_no_gaps_left_to_fill(path: Path) -> None:
    assert not re.search(r"\b(TODO|FIXME|XXX|TBD)\b", path.read_text())
