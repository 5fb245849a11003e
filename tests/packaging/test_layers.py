"""packaging/test: a skipped test is a layer that did not run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.packaged import ROOT, script

PASSES = "def test_good(): pass\n"
SKIPPED = PASSES + "import pytest\ndef test_x(): pytest.skip({reason!r})\n"
UNCOLLECTED = "import pytest\npytest.skip({reason!r}, allow_module_level=True)\n"
MARKED = PASSES + "import pytest\n@pytest.mark.skipif(True, reason={reason!r})\ndef test_x(): pass\n"


def run(folder: Path, content: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    area = folder / "tests" / "bus"
    area.mkdir(parents=True)
    (area / "test_it.py").write_text(content)
    (area / "test_other.py").write_text(PASSES)
    plugin = ["-p", "tests.support.layers", "-p", "no:cacheprovider", f"--rootdir={folder}", "--import-mode=importlib"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", *plugin, *arguments, str(folder / "tests")],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("content", [SKIPPED, UNCOLLECTED, MARKED])
def test_a_skip_fails_the_run_and_is_named(content: str, tmp_path: Path) -> None:
    ran = run(tmp_path, content.format(reason="no recordings"))
    assert ran.returncode == 1
    assert "not run: tests/bus/test_it.py" in ran.stdout
    assert "no recordings" in ran.stdout


def test_a_missing_accelerator_may_skip(tmp_path: Path) -> None:
    ran = run(tmp_path, SKIPPED.format(reason="no GPU here"))
    assert ran.returncode == 0, ran.stdout


def test_skips_may_be_allowed_by_name(tmp_path: Path) -> None:
    ran = run(tmp_path, SKIPPED.format(reason="no recordings"), "--allow-skips")
    assert ran.returncode == 0
    assert "no recordings" in ran.stdout


def test_every_layer_is_named_with_its_time_and_the_count_comes_last(tmp_path: Path) -> None:
    ran = run(tmp_path, PASSES)
    *rest, last = ran.stdout.splitlines()
    assert any(line.startswith("bus ") and line.endswith("2 passed") for line in rest)
    assert last.startswith("2 passed in ")


def test_a_failing_test_fails_the_run(tmp_path: Path) -> None:
    assert run(tmp_path, "def test_bad(): assert False\n").returncode == 1


def needs(tmp_path: Path, *packages: str, tools: dict[str, str], root: bool = True) -> subprocess.CompletedProcess[str]:
    """need_packages on a machine that has only these tools (name → shell text)."""
    for name, text in tools.items():
        tool = tmp_path / name
        tool.write_text(f"#!/bin/bash\n{text}\n")
        tool.chmod(0o755)
    command = f". '{ROOT}/packaging/needs.sh'; PATH='{tmp_path}{':/usr/bin:/bin' if tools else ''}';"
    command += 'as_root() { "$@"; };' if root else "as_root() { return 1; };"
    return subprocess.run(
        ["/bin/bash", "-c", f"{command} need_packages {' '.join(packages)}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_only_missing_packages_are_installed(tmp_path: Path) -> None:
    tools = {
        "dpkg-query": '[ "$4" = there ] && echo -n installed',
        "apt-get": 'echo "$@" >>asked',
    }
    ran = needs(tmp_path, "there", "missing", tools=tools)
    assert ran.stderr == "installing Debian packages: missing\n"
    asked = (tmp_path / "asked").read_text().split()
    assert asked[0] == "install"
    assert asked[-1] == "missing"


def test_a_machine_that_has_everything_is_left_alone(tmp_path: Path) -> None:
    ran = needs(tmp_path, "dbus", tools={"dpkg-query": "echo -n installed", "apt-get": "touch asked"})
    assert (ran.returncode, ran.stderr) == (0, "")
    assert not (tmp_path / "asked").exists()


def test_without_apt_the_needs_are_named(tmp_path: Path) -> None:
    ran = needs(tmp_path, "dbus", "polkitd", tools={})
    assert ran.returncode == 0
    assert ran.stderr == "no apt-get here: the needs are, by their Debian names, dbus polkitd\n"


def test_who_may_not_install_carries_on_with_one_clear_line(tmp_path: Path) -> None:
    ran = needs(tmp_path, "dbus", tools={"dpkg-query": "true", "apt-get": "touch asked"}, root=False)
    assert ran.returncode == 0
    assert ran.stderr.splitlines()[-1] == "not root, and sudo cannot be used: carrying on without dbus"
    assert not (tmp_path / "asked").exists()


def test_continuous_integration_runs_exactly_this() -> None:
    ran = subprocess.run([ROOT / ".ci/run", "--help"], capture_output=True, text=True, check=True)
    assert ran.stdout == script("test", "--help").stdout
    assert ran.stdout.startswith("usage: packaging/test")
