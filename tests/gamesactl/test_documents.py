"""Completions, manual page and docs/gamesactl.md follow from the table of verbs and from what is said on the bus."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gamesactl.verbs import VERBS
from tests.gamesactl.answers import ANSWERS
from tests.support.client import ROOT, FakeDaemon

GENERATED = runpy.run_path(str(ROOT / "packaging" / "completions" / "generate"))["FILES"]
BASH = ROOT / "packaging" / "completions" / "gamesactl.bash"


@pytest.mark.parametrize("name", GENERATED)
def test_what_is_made_from_the_table_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text() == GENERATED[name](), "run packaging/completions/generate"


def _completed(*words: str, path: str = "") -> list[str]:
    script = (
        f"{path}source {BASH}; COMP_WORDS=(gamesactl {' '.join(words)}); "
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); "
        '_gamesactl; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    bash = shutil.which("bash")
    assert bash is not None
    ran = subprocess.run([bash, "-c", script], capture_output=True, text=True, check=True)
    return ran.stdout.split()


def test_bash_completes_verbs_and_options() -> None:
    assert _completed("set") == ["set-profile", "set"]
    assert "--revert-after" in _completed("set", "--")
    assert _completed("config", "s") == ["show"]


def test_bash_completes_what_the_daemon_knows(daemon: FakeDaemon, tmp_path: Path) -> None:
    script = tmp_path / "gamesactl"
    script.write_text(f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m gamesactl "$@"\n')
    script.chmod(0o755)
    assert _completed("set-profile", "ga", path=f"PATH={tmp_path}:$PATH; ") == ["gaming"]


def test_the_documentation_names_every_verb_and_every_key() -> None:
    text = (ROOT / "docs" / "gamesactl.md").read_text()
    assert [verb.name for verb in VERBS if f"\n### {verb.name}\n" not in text] == []
    keys = {key for answer in ("sensors", "tunables", "decisions") for row in ANSWERS[answer] for key in row}
    keys |= {*ANSWERS["status"], *ANSWERS["status"]["Temperatures"][0], *ANSWERS["properties"]["Profiles"][0]}
    documented = set(re.findall(r"`([A-Za-z]+)`", text))
    assert keys - documented == set()
