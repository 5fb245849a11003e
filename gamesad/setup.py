"""gamesad-setup: puts what a wheel brings for the system where the system looks for it, and takes it away again.

pip keeps to Python's own folders; systemd, dbus-daemon and polkit look in theirs. Which files there are stands in one
place, ``[tool.setuptools.data-files]`` of pyproject.toml, and in an installed wheel in its RECORD.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

_PROGRAMS = ("gamesad", "gamesactl")
_USER = "gamesa-dashboard"
_UNITS = ("gamesa-dashboard.socket", "gamesa-dashboard.service", "gamesad.service")
_CONFIGURATION = "etc/gamesad"
_UNIT_OF_A_PACKAGE = "/usr/lib/systemd/system/gamesad.service"
_ELSEWHERE = {
    # dbus-daemon reads policies in /etc and /usr/share only, polkit reads actions in /usr/share only.
    "share/dbus-1/system.d": "/etc/dbus-1/system.d",
    "share/polkit-1/actions": "/usr/share/polkit-1/actions",
}
_HIDDEN_FROM_THE_UNIT = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108 - compared with only
_KEPT = "; /etc/gamesad and /var/lib/gamesad are kept (--purge removes them too)"
_LAUNCHER = "#!{python} -I\nimport sys\n\nfrom {program}.__main__ import main\n\nsys.exit(main())\n"


class _Failed(Exception):
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 not done (the reason on stderr), 2 usage."""
    options = _parser().parse_args(arguments)
    try:
        place = _Place(options.prefix, options.destdir.rstrip("/"))
        if options.verb == "install":
            _install(place, options.checkout, options.tree)
        else:
            _remove(place, purge=options.purge)
    except (_Failed, OSError) as error:
        _say(f"gamesad-setup: {error}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gamesad-setup",
        description="Installs the unit, bus policy, polkit actions, message catalog, manual pages and completions.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    meanings = {"install": "put them there", "remove": "stop gamesad, restore the machine, take them away"}
    for verb, meaning in meanings.items():
        one = verbs.add_parser(verb, help=meaning, description=meaning)
        one.add_argument("--prefix", default="/usr/local", type=_prefix, metavar="DIR", help="instead of /usr/local")
        one.add_argument("--destdir", default="", metavar="DIR", help="below DIR; the running machine is left alone")
        if verb == "install":
            one.add_argument("--checkout", type=Path, help=argparse.SUPPRESS)
            one.add_argument("--tree", type=Path, help=argparse.SUPPRESS)
        else:
            one.add_argument("--purge", action="store_true", help="also /etc/gamesad and /var/lib/gamesad")
    return parser


def _prefix(text: str) -> str:
    if not re.fullmatch(r"/[A-Za-z0-9._/-]+", text):
        raise argparse.ArgumentTypeError(f"an absolute path of letters, digits and ._/- is needed, not {text}")
    return text.rstrip("/")


class _Place:
    """Where things go, and the manifest of what was put there: lines ``file PATH``, ``folder PATH``, ``tree PATH``."""

    def __init__(self, prefix: str, destdir: str) -> None:
        if not destdir and os.geteuid() != 0:
            raise _Failed(f"only root can do that in {prefix} (sudo)")
        self.prefix = prefix
        self.destdir = destdir
        self.home = f"{prefix}/lib/gamesad"
        self.manifest = self.at(f"{self.home}/manifest")
        self.made: list[str] = []
        self.live = not destdir
        self.systemd = self.live and Path("/run/systemd/system").is_dir()

    def at(self, path: str) -> Path:
        return Path(self.destdir + path)

    def read(self) -> list[str]:
        return self.manifest.read_text().splitlines() if self.manifest.is_file() else []

    def packaged(self) -> bool:
        """Whether a package of the distribution is installed too, which has some of the same files."""
        return self.at(_UNIT_OF_A_PACKAGE).exists() and f"file {_UNIT_OF_A_PACKAGE}" not in self.read()

    def record(self) -> None:
        self.folder(self.home)
        self.manifest.write_text("".join(f"{line}\n" for line in self.made))

    def folder(self, path: str) -> None:
        if not self.at(path).is_dir():
            if path.count("/") > 1:
                self.folder(os.path.dirname(path))
            self.at(path).mkdir(mode=0o755)
            self.made.append(f"folder {path}")

    def put(self, path: str, content: bytes, mode: int = 0o644) -> None:
        self.folder(os.path.dirname(path))
        self.made.append(f"file {path}")
        self.at(path).unlink(missing_ok=True)
        self.at(path).write_bytes(content)
        self.at(path).chmod(mode)


def _files(checkout: Path | None) -> Iterator[tuple[str, Path]]:
    """Each file's place below a prefix, and where it is now."""
    if checkout:
        import tomllib  # noqa: PLC0415 - only a checkout has the table

        table = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]["setuptools"]["data-files"]
        yield from ((f"{folder}/{Path(one).name}", checkout / one) for folder, ones in table.items() for one in ones)
        return
    for file in metadata.files("gamesad") or ():
        found = Path(os.path.normpath(str(file.locate())))
        if file.parts[0] == ".." and found.is_relative_to(sys.prefix):
            where = str(found.relative_to(sys.prefix))
            if not where.startswith("bin/") and found.suffix != ".pyc":  # pip compiles the example too
                yield where, found


def _install(place: _Place, checkout: Path | None, tree: Path | None) -> None:
    """``tree`` is a virtual environment, made elsewhere, that becomes the prefix's lib/gamesad."""
    python = f"{place.home}/bin/python" if tree else sys.executable
    if place.live and python.startswith(_HIDDEN_FROM_THE_UNIT):
        raise _Failed(f"the service cannot see {python}: make the virtual environment elsewhere, as in /opt/gamesad")
    files = dict(_files(checkout))
    if not files:
        raise _Failed("gamesad was not installed from a wheel here; in a checkout, use packaging/install")
    if place.packaged():
        raise _Failed("the package gamesad is installed, and has some of the same files; first: apt remove gamesad")
    os.umask(0o022)
    if place.destdir:
        os.makedirs(place.destdir, exist_ok=True)
    running = place.systemd and _run("systemctl", "is-active", "--quiet", "gamesad")
    earlier = place.read()
    if earlier and running:
        _run("systemctl", "stop", "gamesad")
    _delete(place, [line for line in earlier if not line.startswith("folder ")])
    place.made = [line for line in earlier if line.startswith("folder ")]
    try:
        if tree:
            place.folder(os.path.dirname(place.home))
            place.made.append(f"tree {place.home}")
            shutil.copytree(tree, place.at(place.home), symlinks=True, dirs_exist_ok=True)
        for name, source in files.items():
            _put(place, name, source)
        for program in _PROGRAMS:
            path = f"{place.prefix}/bin/{program}"
            if not place.at(path).exists():  # pip's own stand there when it installed into this prefix
                place.put(path, _LAUNCHER.format(python=python, program=program).encode(), 0o755)
    finally:
        place.record()
    _say(_start(place, running=running) if place.live else f"installed below {place.destdir}")


def _start(place: _Place, *, running: bool) -> str:
    """Starts it again if it ran. What to say to who installed it."""
    _tell_the_system(place)
    if place.systemd:
        _run("systemctl", "try-restart", "gamesa-dashboard.service")
    if running:
        _run("systemctl", "start", "gamesad")
        return "installed and running again; gamesactl status shows it"
    if place.systemd:
        return "installed. Start it, now and at every boot:  systemctl enable --now gamesad"
    return f"installed. systemd does not run here, so start it by hand, as root:  {place.prefix}/bin/gamesad"


def _put(place: _Place, name: str, source: Path) -> None:
    folder, _, base = name.rpartition("/")
    if folder == _CONFIGURATION:  # the administrator's own: never overwritten, and not in the manifest
        if not place.at(f"/{name}").exists():
            place.folder("/etc")
            place.at(f"/{folder}").mkdir(mode=0o755, exist_ok=True)
            shutil.copyfile(source, place.at(f"/{name}"))
        return
    target = f"{_ELSEWHERE.get(folder, '') if place.prefix != '/usr' else ''}/{base}"
    if target == f"/{base}":
        target = f"{place.prefix}/{name}"
    content = source.read_bytes()
    if base.endswith(".service"):
        content = re.sub(rb"(?m)^(Exec\w+=)/usr/bin/", rb"\1" + f"{place.prefix}/bin/".encode(), content)
    elif place.at(target).exists() and place.at(target).samefile(source):
        return
    place.put(target, content)


def _remove(place: _Place, *, purge: bool) -> None:
    entries, packaged = place.read(), place.packaged()
    if not entries and (packaged or not purge):
        raise _Failed(f"nothing is installed in {place.destdir}{place.prefix} (is the prefix another?)")
    if place.systemd:
        _run("systemctl", "disable", "--now", "--quiet", *_UNITS)
    elif place.live:
        _say("systemd does not run here: a gamesad that was started by hand is to be stopped by hand")
    # After a clean stop there is nothing left to put back; after a crash there is.
    if place.live and (not entries or _run(f"{place.prefix}/bin/gamesad", "--restore", errors=None)):
        shutil.rmtree("/run/gamesad", ignore_errors=True)
    elif place.live:
        _say("/run/gamesad is kept: what was found before the first write stands there")
    if packaged:  # it came later, and took over what both have
        entries = [entry for entry in entries if not entry.startswith("file /usr/share/")]
    elif purge:
        shutil.rmtree(place.at("/etc/gamesad"), ignore_errors=True)
        shutil.rmtree(place.at("/var/lib/gamesad"), ignore_errors=True)
    place.manifest.unlink(missing_ok=True)
    _delete(place, entries)
    if place.live:
        _tell_the_system(place)
    if place.systemd and not packaged:
        _run("userdel", _USER)  # it owns no file
    _say("removed" + ("; the package gamesad stays" if packaged else "" if purge else _KEPT))


def _delete(place: _Place, entries: list[str]) -> None:
    for entry in reversed(entries):  # a folder comes before what is in it
        kind, _, path = entry.partition(" ")
        if kind == "file" and path.startswith("/"):
            place.at(path).unlink(missing_ok=True)
        elif kind == "tree" and re.fullmatch(r"/.+/gamesad", path):
            shutil.rmtree(place.at(path), ignore_errors=True)
        elif kind == "folder" and path.startswith("/"):
            try:
                place.at(path).rmdir()
            except OSError:
                continue  # others use it by now
        else:
            _say(f"the manifest has a line that is none of ours: {entry}")


def _tell_the_system(place: _Place) -> None:
    if not _run("journalctl", "--update-catalog"):
        _say("the message catalog was not updated (journalctl -x)")
    if place.systemd:
        _run("systemd-sysusers", f"{_USER}.conf")
        _run("systemctl", "daemon-reload")
        if not _run("systemctl", "reload", "dbus"):
            _say("the bus was not told of its new policy; it reads it at its next start")


def _run(*line: str, errors: int | None = subprocess.DEVNULL) -> bool:
    try:
        return subprocess.run(line, stderr=errors, check=False).returncode == 0  # noqa: S603 - nothing from outside
    except OSError:
        return False


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
