"""The message table, its catalog and what is written about both."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gamesad.journal import Fields
from gamesad.messages import Message, catalog

ROOT = Path(__file__).parents[2]


def test_every_event_has_an_id_of_its_own() -> None:
    ids = [message.message_id for message in Message]
    assert all(re.fullmatch(r"[0-9a-f]{32}", message_id) for message_id in ids)
    assert len(set(ids)) == len(ids) == len(Message.__members__)


def test_a_catalog_text_speaks_only_of_fields_that_exist() -> None:
    known = {f"GAMESAD_{name.upper()}" for name in Fields.__annotations__}
    assert set(re.findall(r"GAMESAD_[A-Z_]+", catalog())) <= known


def test_the_shipped_catalog_is_the_table() -> None:
    shipped = (ROOT / "systemd/gamesad.catalog").read_text()
    assert shipped == catalog(), "write systemd/gamesad.catalog anew, its first lines say how"


def test_the_journal_page_names_every_event_and_every_field() -> None:
    page = (ROOT / "docs/journal.md").read_text()
    rows = dict(re.findall(r"^\| ([A-Z_]+) \| `([0-9a-f]{32})` \|", page, re.MULTILINE))
    assert rows == {message.name: message.message_id for message in Message}
    fields = set(re.findall(r"^\| `(GAMESAD_[A-Z_]+)` \|", page, re.MULTILINE))
    always = {"GAMESAD_SIMULATED", "GAMESAD_TRACEBACK"}
    assert fields == {f"GAMESAD_{name.upper()}" for name in Fields.__annotations__} | always


def test_journalctl_takes_the_catalog_and_shows_every_subject(tmp_path: Path) -> None:
    if shutil.which("journalctl") is None:
        pytest.skip("no journalctl on this machine")
    folder = tmp_path / "usr/local/lib/systemd/catalog"
    folder.mkdir(parents=True)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    shutil.copy(ROOT / "systemd/gamesad.catalog", folder)
    updated = subprocess.run(
        ["journalctl", f"--root={tmp_path}", "--update-catalog"], capture_output=True, text=True, check=False
    )
    assert (updated.returncode, updated.stderr) == (0, "")
    listed = subprocess.run(
        ["journalctl", f"--root={tmp_path}", "--list-catalog"], capture_output=True, text=True, check=True
    ).stdout
    for message in Message:
        assert f"{message.message_id} gamesad: {message.value.subject}" in listed


@pytest.mark.parametrize("name", Fields.__annotations__)
def test_every_documented_field_is_sent_by_somebody(name: str) -> None:
    """As a keyword of ``log_event`` or ``Fields``, a key of a literal, or an item that is set."""
    sent = re.compile(rf'\b{name}=(?!=)|"{name}":|\["{name}"\] =')
    senders = [path for path in (ROOT / "gamesad").rglob("*.py") if path.name not in {"journal.py", "report.py"}]
    assert any(sent.search(path.read_text()) for path in senders)
