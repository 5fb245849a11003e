"""The wheel, and gamesad-setup, which puts what it brings for the system where the system looks for it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gamesad import setup
from tests.support import debs
from tests.support.packaged import ROOT, tree

OF_A_PACKAGE = ("usr/lib/systemd/system/gamesad.service", "usr/share/polkit-1/actions/org.gamesa.Gamesad1.policy")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel in it, as pip installs it; the dependencies are not asked for."""
    place = tmp_path_factory.mktemp("opt") / "gamesad"
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", place], check=True)
    pip = [sys.executable, "-m", "pip", "--python", place / "bin/python", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", debs.wheel()], check=True)
    return place


def run_setup(environment: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [environment / "bin/gamesad-setup", *arguments], cwd="/", capture_output=True, text=True, check=False
    )


def test_one_command_installs_every_system_file_and_one_leaves_nothing(environment: Path, tmp_path: Path) -> None:
    ran = run_setup(environment, "install", "--destdir", str(tmp_path))
    assert (ran.returncode, ran.stderr) == (0, f"installed below {tmp_path}\n")
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["data-files"]
    there = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert there == {Path(file).name for files in listed.values() for file in files} | {
        "gamesad",
        "gamesactl",
        "manifest",
    }
    ran = run_setup(environment, "remove", "--purge", "--destdir", str(tmp_path))
    assert (ran.returncode, ran.stderr) == (0, "removed\n")
    assert tree(tmp_path) == {}


def test_the_system_finds_the_files_where_it_looks_and_the_unit_starts_this_program(
    environment: Path, tmp_path: Path
) -> None:
    run_setup(environment, "install", "--destdir", str(tmp_path))
    for path in (
        "etc/dbus-1/system.d/org.gamesa.Gamesad1.conf",
        "usr/share/polkit-1/actions/org.gamesa.Gamesad1.policy",
        "usr/local/lib/systemd/catalog/gamesad.catalog",
        "etc/gamesad/gamesad.toml",
    ):
        assert (tmp_path / path).stat().st_mode & 0o777 == 0o644, path
    unit = (tmp_path / "usr/local/lib/systemd/system/gamesad.service").read_text()
    assert "\nExecStart=/usr/local/bin/gamesad\n" in unit
    assert (tmp_path / "usr/local/bin/gamesad").read_text().startswith(f"#!{environment}/bin/python")
    ran = subprocess.run(
        [tmp_path / "usr/local/bin/gamesad", "--version"], capture_output=True, text=True, check=True, cwd="/"
    )
    assert ran.stdout.startswith("gamesad ")


def test_installing_again_keeps_the_configuration_and_still_leaves_nothing(environment: Path, tmp_path: Path) -> None:
    run_setup(environment, "install", "--destdir", str(tmp_path))
    before = tree(tmp_path)
    (tmp_path / "etc/gamesad/gamesad.toml").write_text("# mine\n")
    (tmp_path / "usr/local/lib/systemd/catalog/gamesad.catalog").write_text("of an older version")
    run_setup(environment, "install", "--destdir", str(tmp_path))
    assert (tmp_path / "etc/gamesad/gamesad.toml").read_text() == "# mine\n"
    changed = {path for path, what in tree(tmp_path).items() if before.pop(path) != what}
    assert changed <= {"etc/gamesad/gamesad.toml", "usr/local/lib/gamesad/manifest"}
    assert before == {}
    run_setup(environment, "remove", "--purge", "--destdir", str(tmp_path))
    assert tree(tmp_path) == {}


def test_removing_without_purge_keeps_the_configuration(environment: Path, tmp_path: Path) -> None:
    run_setup(environment, "install", "--destdir", str(tmp_path))
    ran = run_setup(environment, "remove", "--destdir", str(tmp_path))
    assert ran.stderr == "removed; /etc/gamesad and /var/lib/gamesad are kept (--purge removes them too)\n"
    assert [path for path in tree(tmp_path) if not path.startswith("etc")] == []
    assert (tmp_path / "etc/gamesad/gamesad.toml").exists()


def test_beside_a_package_nothing_is_installed(environment: Path, tmp_path: Path) -> None:
    bring_package(tmp_path)
    before = tree(tmp_path)
    ran = run_setup(environment, "install", "--destdir", str(tmp_path))
    assert ran.returncode == 1
    assert ran.stderr.endswith("; first: apt remove gamesad\n")
    assert len(ran.stderr.splitlines()) == 1
    assert tree(tmp_path) == before


def test_a_package_that_came_later_keeps_its_files(environment: Path, tmp_path: Path) -> None:
    run_setup(environment, "install", "--destdir", str(tmp_path))
    bring_package(tmp_path)
    ran = run_setup(environment, "remove", "--purge", "--destdir", str(tmp_path))
    assert (ran.returncode, ran.stderr) == (0, "removed; the package gamesad stays\n")
    files = [path for path, what in tree(tmp_path).items() if what.startswith("file")]
    assert sorted(files) == ["etc/gamesad/gamesad.toml", *sorted(OF_A_PACKAGE)]
    ran = run_setup(environment, "remove", "--purge", "--destdir", str(tmp_path))
    assert ran.stderr.startswith(f"gamesad-setup: nothing is installed in {tmp_path}/usr/local")
    assert (tmp_path / "etc/gamesad/gamesad.toml").exists()


def bring_package(root: Path) -> None:
    """As dpkg does: over what is there."""
    for file in OF_A_PACKAGE:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("the package's")


def test_an_environment_that_the_service_cannot_see_is_refused(environment: Path) -> None:
    """ProtectHome and PrivateTmp hide it. Nothing is installed: this is the running machine."""
    assert str(environment).startswith("/tmp/"), "pytest's folder is elsewhere: name one below /tmp"
    ran = run_setup(environment, "install")
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"gamesad-setup: the service cannot see {environment}/bin/python")
    assert not Path("/usr/local/lib/gamesad/manifest").exists()


def test_a_checkout_without_a_wheel_says_what_to_use_instead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup.main(["install", "--destdir", str(tmp_path)]) == 1
    assert "packaging/install" in capsys.readouterr().err
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("arguments", [[], ["remove", "--prefix", "relative"], ["install", "--purge"]])
def test_a_mistake_on_the_command_line_is_told(environment: Path, arguments: list[str]) -> None:
    ran = run_setup(environment, *arguments)
    assert ran.returncode == 2
    assert "usage: gamesad-setup" in ran.stderr
