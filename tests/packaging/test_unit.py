"""The installed unit, as systemd's own tools judge it."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.packaged import ROOT, script

UNIT = "usr/local/lib/systemd/system/gamesad.service"
WORST_EXPOSURE = 12  # of 100; peers: power-profiles-daemon 12, upower 26, thermald, tuned and tlp 96
WORST_WITH_DROP_IN = {"nvidia": 18, "process-events": 16, "process-names": 16}
DROP_INS = sorted((ROOT / "systemd/drop-ins").glob("*.conf"))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with the project in it and the units that systemd's tools want to see."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine")
    root = tmp_path_factory.mktemp("machine")
    script("install", "--without-dependencies", DESTDIR=str(root))
    units = root / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for unit in Path("/usr/lib/systemd/system").glob("*.target"):
        shutil.copy(unit, units)
    for name in ("-.slice", "system.slice", "dbus.socket", "dbus.service", "polkit.service"):
        if (source := Path("/usr/lib/systemd/system", name)).exists():
            shutil.copy(source, units)
    return root


def analyze(machine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], cwd=machine, capture_output=True, text=True, check=False
    )


def test_systemd_finds_nothing_to_say_about_the_unit(machine: Path) -> None:
    """An unknown key is only a warning to systemd, so silence is what counts."""
    ran = analyze(machine, "verify", "--man=no", f"--root={machine}", f"/{UNIT}")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_check_above_does_see_an_unknown_key(machine: Path) -> None:
    unit = machine / "usr/lib/systemd/system/broken.service"
    unit.write_text((machine / UNIT).read_text().replace("ProtectSystem=", "ProtectTheSystem="))
    ran = analyze(machine, "verify", "--man=no", f"--root={machine}", "/usr/lib/systemd/system/broken.service")
    unit.unlink()
    assert "ProtectTheSystem" in ran.stderr


def test_the_service_is_well_shut_in(machine: Path) -> None:
    ran = analyze(machine, "security", "--offline=true", f"--threshold={WORST_EXPOSURE}", str(machine / UNIT))
    assert ran.returncode == 0, ran.stdout


def test_what_the_daemon_relies_on_is_in_the_unit(machine: Path) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # configparser's documented way
    unit.read(machine / UNIT)
    service = unit["Service"]
    assert service["Type"] == "notify"
    assert service["ExecStart"] == "/usr/local/bin/gamesad"
    assert service["ExecStopPost"] == "/usr/local/bin/gamesad --restore"
    assert service["ExecReload"] == "/usr/local/bin/gamesactl reload"
    assert (service["RuntimeDirectory"], service["RuntimeDirectoryPreserve"]) == ("gamesad", "yes")
    assert service["StateDirectory"] == "gamesad"
    slowest_tick_s = 2
    assert int(service["WatchdogSec"]) >= 3 * slowest_tick_s
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "2"


def test_every_program_the_unit_names_is_installed(machine: Path) -> None:
    for line in re.findall(r"^Exec\w+=(.*)$", (machine / UNIT).read_text(), re.MULTILINE):
        program = machine / line.split()[0].lstrip("/")
        assert program.is_file()
        assert program.stat().st_mode & 0o111


def test_the_unit_in_the_checkout_is_the_one_for_usr() -> None:
    """packaging/install puts its prefix there; a distribution's package takes it as it is."""
    programs = re.findall(r"^Exec\w+=(\S+)", (ROOT / "systemd/gamesad.service").read_text(), re.MULTILINE)
    assert set(programs) == {"/usr/bin/gamesad", "/usr/bin/gamesactl"}


@pytest.fixture(params=DROP_INS, ids=lambda path: path.stem)
def with_drop_in(request: pytest.FixtureRequest, machine: Path) -> Iterator[Path]:
    """The machine after somebody installed one drop-in as docs/packaging.md says."""
    folder = machine / f"{UNIT}.d"
    folder.mkdir()
    shutil.copy(request.param, folder)
    yield folder / request.param.name
    shutil.rmtree(folder)


def test_systemd_finds_nothing_to_say_about_the_unit_with_a_drop_in(machine: Path, with_drop_in: Path) -> None:
    ran = analyze(machine, "verify", "--man=no", f"--root={machine}", f"/{UNIT}")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_check_above_sees_the_drop_in(machine: Path, with_drop_in: Path) -> None:
    with_drop_in.write_text(with_drop_in.read_text().replace("CapabilityBoundingSet", "CapabilitySet"))
    ran = analyze(machine, "verify", "--man=no", f"--root={machine}", f"/{UNIT}")
    assert "CapabilitySet" in ran.stderr


def test_a_drop_in_opens_as_much_as_it_says(machine: Path, with_drop_in: Path) -> None:
    """Its own score, in its text, in docs/packaging.md and by systemd, is the same."""
    ran = analyze(machine, "security", "--offline=true", str(machine / UNIT))
    told = re.search(r"Overall exposure level for gamesad.service: ([0-9.]+)", ran.stdout)
    assert told, ran.stdout
    assert float(told[1]) * 10 <= WORST_WITH_DROP_IN[with_drop_in.stem]
    assert f"systemd-analyze security` says {told[1]} with it" in with_drop_in.read_text()
    assert re.search(rf"{with_drop_in.name}.*\| {told[1]} ", (ROOT / "docs/packaging.md").read_text())


def test_a_capability_never_comes_without_what_makes_it_count(with_drop_in: Path) -> None:
    """In a user namespace of its own the service would hold it for nothing."""
    text = with_drop_in.read_text()
    assert ("\nCapabilityBoundingSet=CAP_" in text) == ("\nPrivateUsers=no" in text)


def test_every_drop_in_comes_with_the_project(machine: Path) -> None:
    examples = machine / "usr/local/share/doc/gamesad/examples/gamesad.service.d"
    assert sorted(path.name for path in examples.iterdir()) == [path.name for path in DROP_INS]


def test_what_had_to_stay_off_has_its_reason_in_the_unit() -> None:
    text = (ROOT / "systemd/gamesad.service").read_text()
    ran = subprocess.run(
        ["systemd-analyze", "--no-pager", "security", "--offline=true", ROOT / "systemd/gamesad.service"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    missing = {re.split("[=/]", line.split()[1])[0] for line in ran.stdout.splitlines() if line.startswith("✗")}
    reasons = text.partition("# Off, of what")[2].partition("\nProtect")[0]
    assert len(missing) >= 5
    assert {name for name in missing if not re.search(rf"\b{name}\b", reasons)} == set()
