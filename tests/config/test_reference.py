"""The reference in the documentation is made from the tables that also check, and stays true."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from gamesad.config import DEFAULT_DIRS, reference

ROOT = Path(__file__).parents[2]
GENERATOR = runpy.run_path(str(ROOT / "docs" / "generate-reference"))


@pytest.mark.parametrize("name", GENERATOR["PAGES"])
def test_the_page_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == GENERATOR["page"](name), "run docs/generate-reference"


def test_the_page_holds_the_whole_reference_and_every_place() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    assert reference().rstrip() in text
    assert [folder for folder in DEFAULT_DIRS if f"`{folder}/`" not in text] == []


def test_no_text_of_the_reference_is_indented() -> None:
    """Markdown shows it as code, and Python 3.13 takes the indent of a docstring away where 3.11 leaves it."""
    assert [line for line in reference().splitlines() if line.startswith(" ")] == []
