"""Command lines and configuration files that are wrong: each fault in one line, status 2, nothing touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gamesad import __version__
from gamesad.__main__ import main
from tests.support.daemon import without

WRONG = {
    "--nope": "there is no option --nope",
    "--obs": "there is no option --obs; did you mean --observe?",
    "--durations 5": "there is no option --durations; did you mean --duration?",
    "status": "'status' is one word too many",
    "--without bus,foo": "--without: there is no part 'foo'; there are bus, crystal, neural, udev",
    "--root /nonexistent": "--root: /nonexistent is neither a folder with sys/ and proc/ nor a recording",
    "--root /proc --simulate": "--root and --simulate both name the machine; give one of them",
    "--shm=": "--shm: an empty name is no file; to have none, say --without crystal",
    "--duration 0": "--duration: 0 is not a number of seconds above 0",
    "--duration -1": "--duration: -1 is not a number of seconds above 0",
    "--duration nan": "--duration: nan is not a number of seconds above 0",
    "--duration soon": "argument --duration: invalid float value: 'soon'",
    "--config": "argument --config: expected one argument",
    "--once --restore": "argument --restore: not allowed with argument --once",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_command_line_is_told_in_one_line(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert (said.out, said.err) == ("", f"gamesad: {WRONG[line]}; see gamesad --help\n")


def test_an_unknown_scenario_gets_a_suggestion_and_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--simulate", "laptop/steady-gam"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "--simulate: there is no simulated machine or scenario named 'steady-gam'; did you mean steady-game?" in (
        said.err
    )
    assert "Machines: laptop, desktop" in said.err


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A configuration with faults in three files."""
    config = tmp_path / "etc" / "gamesad.toml"
    (config.parent / "profiles.d").mkdir(parents=True)
    config.write_text("[daemon]\ntick_fastest = 1\ntick_slowest_s = 9\n[limts]\n")
    (config.parent / "profiles.d" / "mine.toml").write_text("[profile]\nname = 'mine'\ninherits = 'balancd'\n")
    (config.parent / "profiles.d" / "other.toml").write_text("name = [\n")
    return config


def test_every_fault_of_every_file_is_listed(faulty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check-config", "--config", str(faulty)]) == 2
    said = capsys.readouterr()
    *faults, last = said.err.splitlines()
    assert said.out == ""
    assert f'{faulty}:2: daemon.tick_fastest: unknown key; did you mean "tick_fastest_s"?' in faults
    assert f"{faulty}:3: daemon.tick_slowest_s: 9 is out of range; give a number from 0.5 to 2" in faults
    assert f'{faulty}:4: limts: unknown section; did you mean "limits"?' in faults
    for name in ("mine.toml", "other.toml"):
        assert any(fault.startswith(f"{faulty.parent}/profiles.d/{name}:") for fault in faults), faults
    assert last == f"gamesad: {len(faults)} faults in the configuration"


def test_a_start_with_a_faulty_configuration_logs_every_fault_and_touches_nothing(
    faulty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    assert main(["--check-config", "--config", str(faulty)]) == 2
    faults = capsys.readouterr().err.splitlines()[:-1]
    assert main(["--root", str(root), "--config", str(faulty)]) == 2
    said = capsys.readouterr()
    assert [line.partition(" error: ")[2] for line in said.err.splitlines()] == faults
    assert list(root.iterdir()) == []


def test_help_version_and_checks_work_without_any_optional_part() -> None:
    script = (
        "import sys\n"
        + without("dbus_next", "pyudev", "systemd", "numpy", "psutil")
        + "from gamesad.__main__ import main\n"
        "for mode in sys.argv[1:]:\n"
        "    try:\n"
        "        assert main(mode.split()) == 0\n"
        "    except SystemExit as ended:\n"
        "        assert ended.code == 0\n"
    )
    modes = ["--version", "--help", "--check-config", "--show-config"]
    ran = subprocess.run([sys.executable, "-c", script, *modes], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"gamesad {__version__}\nusage: gamesad ")
    assert "gamesad: the configuration is good" in ran.stdout


def test_a_tick_that_cannot_be_printed_is_told_in_one_line(tmp_path: Path) -> None:
    """A full disk, a locale without the letters, no stdout at all."""
    once = [sys.executable, "-m", "gamesad", "--root", str(tmp_path), "--once", "--observe"]
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}  # what is left in the buffer is written again at exit
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(once, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=buffered)
    assert ran.returncode == 1
    assert ran.stderr.endswith(" error: the tick could not be printed: No space left on device\n")
    assert ran.stderr.count("\n") == 1
    closed = subprocess.run(["sh", "-c", '"$@" >&- 2>&-', "sh", *once], capture_output=True, check=False)
    assert closed.returncode == 0
