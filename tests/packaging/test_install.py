"""packaging/install puts the whole project below DESTDIR, packaging/uninstall takes exactly that away again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.packaged import ROOT, script, tree


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DESTDIR with the project, for tests that only look."""
    destination = tmp_path_factory.mktemp("destination")
    ran = script("install", "--without-dependencies", DESTDIR=str(destination))
    assert ran.returncode == 0, ran.stderr
    return destination


@pytest.mark.parametrize("prefix", ["/usr/local", "/usr"])
def test_uninstall_leaves_the_machine_as_install_found_it(prefix: str, tmp_path: Path) -> None:
    """Also a folder that was there already and a file of somebody else's."""
    (tmp_path / "etc/dbus-1/system.d").mkdir(parents=True)
    (tmp_path / "etc/dbus-1/system.d/other.conf").write_text("<busconfig/>")
    before = tree(tmp_path)
    ran = script("install", "--without-dependencies", DESTDIR=str(tmp_path), PREFIX=prefix)
    assert ran.returncode == 0, ran.stderr
    assert len(tree(tmp_path)) > len(before) + 20
    ran = script("uninstall", "--purge", DESTDIR=str(tmp_path), PREFIX=prefix)
    assert (ran.returncode, ran.stderr) == (0, "removed\n")
    assert tree(tmp_path) == before


def test_the_configuration_is_never_overwritten_and_kept_unless_purged(tmp_path: Path) -> None:
    file = tmp_path / "etc/gamesad/gamesad.toml"
    file.parent.mkdir(parents=True)
    file.write_text("# mine\n")
    script("install", "--without-dependencies", DESTDIR=str(tmp_path))
    assert file.read_text() == "# mine\n"
    ran = script("uninstall", DESTDIR=str(tmp_path))
    assert "kept" in ran.stderr
    assert file.read_text() == "# mine\n"
    script("uninstall", "--purge", DESTDIR=str(tmp_path))
    assert not file.parent.exists()


def test_installing_again_replaces_and_forgets_nothing(tmp_path: Path) -> None:
    """A file that the new version does not have is gone afterwards."""
    script("install", "--without-dependencies", DESTDIR=str(tmp_path))
    stale = next((tmp_path / "usr/local/lib/gamesad/lib").glob("python3*")) / "site-packages/gamesad/stale.py"
    stale.touch()
    first = tree(tmp_path)
    ran = script("install", "--without-dependencies", DESTDIR=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert not stale.exists()
    assert set(tree(tmp_path)) == set(first) - {str(stale.relative_to(tmp_path))}
    script("uninstall", "--purge", DESTDIR=str(tmp_path))
    assert tree(tmp_path) == {}


def test_nothing_installed_names_the_folder_it_was_put_into(installed: Path) -> None:
    found = [path for path, what in tree(installed).items() if str(installed).encode().hex() in what]
    assert found == []


def test_only_what_runs_is_installed(installed: Path) -> None:
    home = installed / "usr/local/lib/gamesad"
    packages = {path.name for path in next((home / "lib").glob("python3*/site-packages")).iterdir()}
    assert packages == {"gamesad", "gamesactl"}
    assert all(path.name.startswith("python") for path in (home / "bin").iterdir())
    assert not list(installed.rglob("test_*"))


@pytest.mark.parametrize("name", ["gamesad", "gamesactl"])
def test_the_installed_programs_run_by_themselves(name: str, installed: Path, tmp_path: Path) -> None:
    """From another folder, with the interpreter that their first line names, isolated from the caller's Python."""
    program = installed / "usr/local/bin" / name
    interpreter, isolated = program.read_text().splitlines()[0].removeprefix("#!").split()
    assert (interpreter, isolated) == ("/usr/local/lib/gamesad/bin/python", "-I")
    ran = subprocess.run(
        [f"{installed}{interpreter}", isolated, program, "--help"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"usage: {name}" in ran.stdout.lower()


def sources(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_every_file_of_the_packages_is_installed(installed: Path) -> None:
    site = next((installed / "usr/local/lib/gamesad/lib").glob("python3*/site-packages"))
    for package in ("gamesad", "gamesactl"):
        ours = {str(path.relative_to(ROOT)) for path in (ROOT / package).rglob("*") if path.suffix in {".py", ".toml"}}
        theirs = {
            str(path.relative_to(site)) for path in (site / package).rglob("*") if path.suffix in {".py", ".toml"}
        }
        assert ours == theirs


def test_the_bus_and_polkit_find_their_policies(installed: Path) -> None:
    """dbus-daemon looks in /etc and /usr/share only, polkit in /usr/share only, whatever the prefix."""
    assert (installed / "etc/dbus-1/system.d/org.gamesa.Gamesad1.conf").is_file()
    assert (installed / "usr/share/polkit-1/actions/org.gamesa.Gamesad1.policy").is_file()


def test_the_example_configuration_is_a_good_one(tmp_path: Path) -> None:
    """As it is, and with every example in it switched on."""
    text = (ROOT / "packaging/gamesad.toml").read_text()
    uncommented = "\n".join(
        line.removeprefix("#") if line.startswith(("#[", '#"')) or " = " in line else line for line in text.splitlines()
    )
    assert uncommented.count("\n[") >= 4
    for number, content in enumerate((text, uncommented)):
        file = tmp_path / f"{number}.toml"
        file.write_text(content)
        ran = subprocess.run(
            [sys.executable, "-m", "gamesad", "--check-config", "--config", str(file)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("install", ["--nonsense"]),
        ("uninstall", ["--nonsense"]),
        ("run", ["--nonsense"]),
        ("run", ["--duration", "soon"]),
        ("run", ["--duration"]),
        ("test", ["--nonsense"]),
    ],
)
def test_what_a_script_does_not_know_is_answered_with_its_usage(
    name: str, arguments: list[str], tmp_path: Path
) -> None:
    ran = script(name, *arguments, DESTDIR=str(tmp_path))
    assert ran.returncode == 2
    assert ran.stderr.startswith("usage: ")
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("prefix", ["relative", "/with blank", "/quo'te", "/#hash", "/"])
def test_a_prefix_that_would_break_a_path_is_refused(prefix: str, tmp_path: Path) -> None:
    ran = script("install", "--without-dependencies", DESTDIR=str(tmp_path), PREFIX=prefix)
    assert ran.returncode == 1
    assert "PREFIX is an absolute path" in ran.stderr
    assert tree(tmp_path) == {}


def test_uninstalling_what_is_not_there_says_so(tmp_path: Path) -> None:
    ran = script("uninstall", DESTDIR=str(tmp_path))
    assert ran.returncode == 1
    assert "nothing is installed in" in ran.stderr


def test_uninstalling_takes_a_python_that_can_make_no_environments(tmp_path: Path) -> None:
    """python3-venv may have gone since."""
    script("install", "--without-dependencies", DESTDIR=str(tmp_path))
    python = tmp_path / "python"
    refusal = 'case $* in *ensurepip*) exit 1 ;; *setup*) touch "$0.used" ;; esac'
    python.write_text(f'#!/bin/sh\n{refusal}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    ran = script("uninstall", "--purge", DESTDIR=str(tmp_path), PYTHON=str(python))
    assert (ran.returncode, ran.stderr) == (0, "removed\n")
    assert (tmp_path / "python.used").exists()


def test_a_manifest_with_foreign_lines_removes_nothing_of_theirs(tmp_path: Path) -> None:
    precious = tmp_path / "home/precious"
    precious.mkdir(parents=True)
    (precious / "file").touch()
    manifest = tmp_path / "usr/local/lib/gamesad/manifest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("tree /home\ntree /\nrm -rf /home\nfolder /home/precious\n")
    ran = script("uninstall", DESTDIR=str(tmp_path))
    assert ran.stderr.count("a line that is none of ours") == 3
    assert (precious / "file").exists()


@pytest.mark.full
def test_the_whole_installation_with_its_dependencies_runs(tmp_path: Path) -> None:
    ran = script("install", "--no-apt", DESTDIR=str(tmp_path), timeout_s=300)
    assert ran.returncode == 0, ran.stderr
    python = tmp_path / "usr/local/lib/gamesad/bin/python"
    modules = "dbus_next, numpy, psutil, pyudev, systemd.journal, gamesad.daemon, gamesactl.bus"
    subprocess.run([python, "-I", "-c", f"import {modules}"], cwd="/", check=True)
    script("uninstall", "--purge", DESTDIR=str(tmp_path))
    assert tree(tmp_path) == {}
