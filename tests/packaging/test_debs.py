"""The Debian packages: what is in them, what they say of themselves, what their scripts do, what lintian thinks."""

from __future__ import annotations

import io
import os
import re
import resource
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

from tests.support import debs
from tests.support.cache import cached
from tests.support.packaged import ROOT, script, tree

MAINTAINER_SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
BUILD_S = 60.0


@pytest.fixture(scope="module")
def built() -> dict[str, Path]:
    return dict(zip(debs.PACKAGES, debs.built(), strict=True))


@pytest.fixture(scope="module")
def contents(built: dict[str, Path]) -> dict[str, dict[str, tarfile.TarInfo]]:
    """Package → path → its entry in the archive; the folders that all packages share are left out."""
    found = {}
    for name, deb in built.items():
        ran = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], capture_output=True, check=True)
        with tarfile.open(fileobj=io.BytesIO(ran.stdout)) as archive:
            found[name] = {entry.name.removeprefix("."): entry for entry in archive if entry.name != "."}
    return found


def field(deb: Path, name: str) -> str:
    return subprocess.run(["dpkg-deb", "--field", deb, name], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def scripts(built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("control")
    for name, deb in built.items():
        subprocess.run(["dpkg-deb", "--control", deb, folder / name], check=True)
    return [path for path in sorted(folder.rglob("*")) if path.name in MAINTAINER_SCRIPTS]


def test_every_module_is_in_the_library_and_nothing_that_does_not_run(
    contents: dict[str, dict[str, tarfile.TarInfo]],
) -> None:
    site = "/usr/lib/python3/dist-packages/"
    there = {path.removeprefix(site) for path, entry in contents["python3-gamesad"].items() if entry.isfile()}
    ours = {
        str(path.relative_to(ROOT))
        for package in ("gamesad", "gamesactl")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {path for path in there if path.startswith(("gamesad/", "gamesactl/"))} == ours
    every = [path for paths in contents.values() for path in paths]
    assert [path for path in every if re.search(r"__pycache__|\.pyc$|/tests?(/|$)", path)] == []


def test_every_system_file_of_the_one_list_is_in_a_package(contents: dict[str, dict[str, tarfile.TarInfo]]) -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["data-files"]
    there = {Path(path).name.removesuffix(".gz") for paths in contents.values() for path in paths}
    assert {Path(file).name for files in listed.values() for file in files} - there == set()


def test_the_packages_hold_what_their_names_say(contents: dict[str, dict[str, tarfile.TarInfo]]) -> None:
    assert {
        "/usr/bin/gamesad",
        "/etc/gamesad/gamesad.toml",
        "/usr/lib/systemd/system/gamesad.service",
        "/usr/lib/systemd/catalog/gamesad.catalog",
        "/usr/share/dbus-1/system.d/org.gamesa.Gamesad1.conf",
        "/usr/share/polkit-1/actions/org.gamesa.Gamesad1.policy",
        "/usr/share/man/man8/gamesad.8.gz",
        "/usr/share/doc/gamesad/examples/50-gamesad-group.rules",
        "/usr/share/doc/gamesad/examples/gamesad.service.d/nvidia.conf",
    } <= contents["gamesad"].keys()
    assert {
        "/usr/bin/gamesactl",
        "/usr/share/bash-completion/completions/gamesactl.bash",
        "/usr/share/zsh/vendor-completions/_gamesactl",
        "/usr/share/man/man1/gamesactl.1.gz",
    } <= contents["gamesactl"].keys()
    programs = {path for paths in contents.values() for path in paths if path.startswith(("/usr/bin/", "/usr/sbin/"))}
    assert programs == {"/usr/bin/gamesad", "/usr/bin/gamesactl"}


def test_everything_is_root_s_and_only_programs_can_be_run(contents: dict[str, dict[str, tarfile.TarInfo]]) -> None:
    for paths in contents.values():
        for path, entry in paths.items():
            assert (entry.uid, entry.gid) == (0, 0), path
            wanted = 0o755 if entry.isdir() or path.startswith("/usr/bin/") else 0o644
            assert entry.issym() or entry.mode == wanted, f"{path}: {entry.mode:o}"


def test_no_package_puts_a_file_where_debian_13_has_a_link(contents: dict[str, dict[str, tarfile.TarInfo]]) -> None:
    assert {path.split("/")[1] for paths in contents.values() for path in paths} == {"etc", "usr"}


def test_the_programs_are_isolated_from_the_caller_s_python(built: dict[str, Path], tmp_path: Path) -> None:
    for name, options in (("gamesad", "-I"), ("gamesactl", "-IS")):
        subprocess.run(["dpkg-deb", "-x", built[name], tmp_path], check=True)
        first = (tmp_path / "usr/bin" / name).read_text().replace("#! ", "#!").partition("\n")[0]
        assert first == f"#!/usr/bin/python3 {options}"


def test_the_dependencies_are_those_of_pyproject_and_the_three_are_of_one_version(built: dict[str, Path]) -> None:
    version = field(built["gamesad"], "Version")
    for name in debs.PACKAGES:
        assert field(built[name], "Architecture") == "all"
    assert re.sub(r"\s", "", field(built["python3-gamesad"], "Depends")).split(",") == [
        *("python3-dbus-next", "python3-numpy", "python3-psutil", "python3-pyudev", "python3-systemd"),
        "python3:any(>=3.11~)",
    ]
    assert f"gamesactl (= {version}), python3-gamesad (= {version})" in field(built["gamesad"], "Depends")
    assert f"python3-gamesad (= {version})" in field(built["gamesactl"], "Depends")


def test_it_takes_the_place_of_power_profiles_daemon(built: dict[str, Path]) -> None:
    for kind in ("Conflicts", "Replaces", "Provides"):
        assert field(built["gamesad"], kind) == "power-profiles-daemon"


def test_the_scripts_parse_and_shellcheck_has_nothing_to_say(scripts: list[Path]) -> None:
    assert len(scripts) >= 5
    for path in scripts:
        assert subprocess.run(["sh", "-n", path], check=False).returncode == 0
    ran = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)
    assert ran.stdout == ""


def test_it_is_never_enabled_or_started_by_itself_and_an_upgrade_restarts_only_what_runs(scripts: list[Path]) -> None:
    text = {path.name: path.read_text() for path in scripts if path.parent.name == "gamesad"}
    acts = re.findall(r"deb-systemd-invoke (\S+)", "".join(text.values()))
    assert sorted(set(acts)) == ["stop", "try-restart"]
    assert "deb-systemd-invoke try-restart" in text["postinst"]
    assert "deb-systemd-invoke stop" in text["prerm"]
    assert text["prerm"].index("invoke stop") < text["prerm"].index("gamesad --restore")
    assert "was-enabled" in text["postinst"]


def test_lintian_finds_no_error_and_nothing_that_the_documentation_does_not_answer(built: dict[str, Path]) -> None:
    """Not in an override: lintian of Debian 13 calls an override of a tag that it no longer has an error."""

    def make(folder: Path) -> None:
        line = ["lintian", "--allow-root", "--display-info", "--display-experimental", "--pedantic", *built.values()]
        ran = subprocess.run(line, capture_output=True, text=True, check=False)
        (folder / "said").write_text(ran.stdout + ran.stderr)

    said = (cached("lintian", built.values(), make) / "said").read_text().splitlines()
    answers = (ROOT / "docs/packaging.md").read_text()
    assert [line for line in said if not line.startswith(("I: ", "P: "))] == []
    assert [line for line in said if f"`{line.split()[2]}`" not in answers] == []


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """The tree as an archive of it gives it: without git, and with a blank in its path."""
    folder = tmp_path / "unpacked archive"
    folder.mkdir()
    debs.export(folder)
    return folder


def test_an_exported_tree_builds_in_time_and_stays_as_it_was(export: Path, tmp_path: Path) -> None:
    """And all three packages are named by gamesad_*.deb, which is what a person types."""
    before, begun_s = tree(export), worked_s()
    printed = build(export, tmp_path / "out")
    assert worked_s() - begun_s < BUILD_S
    assert [Path(path).name.split("_")[0] for path in printed] == list(debs.PACKAGES)
    assert tree(export) == before
    named = {path.resolve() for path in (tmp_path / "out").glob("gamesad_*.deb")}
    assert named == {Path(path) for path in printed}


@pytest.mark.full
def test_the_same_tree_gives_the_same_bytes(export: Path, tmp_path: Path) -> None:
    first, second = build(export, tmp_path / "first"), build(export, tmp_path / "second", umask="077")
    assert [Path(path).read_bytes() for path in first] == [Path(path).read_bytes() for path in second]


def worked_s() -> float:
    """Processor time of the children so far, which other work on the machine does not add to."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def build(folder: Path, output: Path, umask: str = "022") -> list[str]:
    """Runs packaging/build-deb there, as somebody with another Python and umask; the paths it prints."""
    ran = subprocess.run(
        ["bash", "-c", f'umask {umask}; exec packaging/build-deb --output "$1"', "bash", output],
        cwd=folder, env={**os.environ, "PYTHONPATH": "/nowhere", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=10 * BUILD_S, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_the_manual_page_names_every_option_and_no_other() -> None:
    """As --help does."""
    helped = subprocess.run(
        [sys.executable, "-m", "gamesad", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    page = (ROOT / "docs/gamesad.8").read_text().replace("\\-", "-")
    options = re.compile(r"--[a-z]+(?:-[a-z]+)*")
    assert set(options.findall(page)) - {"--now"} == set(options.findall(helped.stdout))


def test_a_version_can_be_named_and_the_program_says_it(tmp_path: Path) -> None:
    deb = debs.built("0.0.9~test")[0]
    assert field(deb, "Version") == "0.0.9~test"
    subprocess.run(["dpkg-deb", "-x", deb, tmp_path], check=True)
    assert '"0.0.9"' in (tmp_path / "usr/lib/python3/dist-packages/gamesad/__init__.py").read_text()


@pytest.mark.parametrize("version", ["v1", "1.0/../..", "1;rm", "-1"])
def test_a_version_that_dpkg_would_not_take_is_refused(version: str, tmp_path: Path) -> None:
    ran = script("build-deb", "--output", str(tmp_path), "--version", version)
    assert (ran.returncode, ran.stderr) == (1, f"build-deb: a version looks like 1.2.3 or 1.2.3~rc1, not {version}\n")
    assert list(tmp_path.iterdir()) == []
