"""The gamesad executable: arguments, then one of its modes. Imports stay inside them: ``--restore`` must be quick."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from gamesad import __version__
from gamesad.crystal.layout import PATH

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
COMPONENTS = ("bus", "crystal", "neural", "udev")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done or stopped by a signal, 1 failed, 2 usage or configuration errors."""
    _open_standard_streams()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # or numpy starts a thread per core, for matrices of 16 rows
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(_unknown(parser, unknown[0]))
    options.without = _components(parser, options.without)
    _place(parser, options)
    _scoring(parser, options)
    if options.restore:
        return _restore(options)
    if options.check_config:
        return _check_config(options.config)
    if options.show_config:
        return _show_config(options.config, origins=options.show_config == "origin")
    if options.record or options.evaluate or options.probe:
        return _look(options)
    from gamesad import daemon  # noqa: PLC0415 - 100 ms of imports that the modes above do without

    return daemon.once(options) if options.once else daemon.run(options)


def _look(options: argparse.Namespace) -> int:
    """The modes that set nothing."""
    if options.record:
        from gamesad import recorder  # noqa: PLC0415 - as above

        return recorder.run(options)
    if options.evaluate:
        return _evaluate(options)
    from gamesad.probe import report  # noqa: PLC0415 - as above

    return report.run(options)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line that names the fault, not the whole usage."""
        self.exit(EXIT_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="gamesad",
        allow_abbrev=False,
        description="Keeps a Linux machine as fast as its cooling and power allow, and no faster.",
        epilog="Ask the running daemon with gamesactl(1). Configuration: /etc/gamesad/gamesad.toml.",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check-config", action="store_true", help="list every fault of the configuration, and exit")
    mode.add_argument(
        "--show-config",
        nargs="?",
        const="plain",
        choices=("plain", "origin"),
        help="print the configuration in force, with 'origin' also where each value comes from",
    )
    mode.add_argument(
        "--once", action="store_true", help="two samples a second apart, one tick, printed as JSON; no bus"
    )
    mode.add_argument("--record", metavar="FILE", help="write this machine's tree and readings into FILE, for 60 s")
    mode.add_argument(
        "--probe",
        nargs="?",
        const="text",
        choices=("text", "json"),
        help="say what this machine offers, what is missing and how to get it; exit status 1 if that is essential",
    )
    mode.add_argument(
        "--evaluate",
        nargs="+",
        metavar="FILE",
        help="score recordings of temperatures, of this program or others, with the daemon's own models",
    )
    mode.add_argument("--restore", action="store_true", help="put back what a killed gamesad left set, and exit")
    parser.add_argument("--config", metavar="FILE", help="read this file instead of those in /usr/lib, /run and /etc")
    parser.add_argument(
        "--root",
        metavar="DIR|FILE",
        default="/",
        help="the machine is the tree under DIR (DIR/sys, DIR/proc), or the recording FILE",
    )
    parser.add_argument("--state-dir", metavar="DIR", help="what is kept over restarts (default /var/lib/gamesad)")
    parser.add_argument(
        "--runtime-dir", metavar="DIR", help="the values found before the first write (default /run/gamesad)"
    )
    parser.add_argument(
        "--simulate",
        metavar="SCENARIO",
        nargs="?",
        const="",
        help="the machine is a simulated one that reacts: KIND/SCENARIO, such as laptop/steady-game",
    )
    parser.add_argument(
        "--shm", metavar="FILE", help=f"the shared memory that clients read (default {PATH} with --root /)"
    )
    parser.add_argument("--observe", action="store_true", help="decide and publish, write nothing")
    parser.add_argument("--duration", metavar="SECONDS", type=float, help="stop after this long")
    parser.add_argument("--without", metavar="PART,...", default="", help=f"leave parts out: {', '.join(COMPONENTS)}")
    parser.add_argument("--json", action="store_true", help="with --evaluate: one JSON document; see docs/neural.md")
    parser.add_argument("--plot", metavar="PNG", help="with --evaluate: also a picture of what was expected and came")
    parser.add_argument(
        "--limit", metavar="C", type=float, help="with --evaluate: the limit whose crossings are to be foretold, in °C"
    )
    parser.set_defaults(ending="")
    parser.add_argument("--version", action="version", version=f"gamesad {__version__}")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="tell more; -vv still more")
    return parser


def _unknown(parser: argparse.ArgumentParser, word: str) -> str:
    """What to say of a word that means nothing here."""
    import difflib  # noqa: PLC0415 - only a mistake needs it

    if not word.startswith("-"):
        return f"{word!r} is one word too many"
    flags = parser.format_usage().replace("[", " ").replace("]", " ").split()
    names = [flag.removeprefix("--") for flag in flags if flag.startswith("--")]
    near = difflib.get_close_matches(word.partition("=")[0].lstrip("-"), names, n=1)
    return f"there is no option {word}" + (f"; did you mean --{near[0]}?" if near else "")


def _open_standard_streams() -> None:
    """Started without stdin, stdout or stderr, the next files opened would take their numbers, and get their text."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _components(parser: argparse.ArgumentParser, text: str) -> frozenset[str]:
    wanted = frozenset(part.strip() for part in text.split(",") if part.strip())
    unknown = sorted(wanted - set(COMPONENTS))
    if unknown:
        parser.error(f"--without: there is no part {unknown[0]!r}; there are {', '.join(COMPONENTS)}")
    return wanted


def _place(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Settles the folders: with --root they lie under it, as everything of that machine does."""
    if options.root != "/":
        if options.simulate is not None:
            parser.error("--root and --simulate both name the machine; give one of them")
        if not os.path.isdir(options.root) and not os.path.isfile(options.root):
            parser.error(f"--root: {options.root} is neither a folder with sys/ and proc/ nor a recording")
    recorded = os.path.isfile(options.root)
    if recorded and options.restore:
        parser.error("--restore: nothing is ever written to a recording")
    if options.simulate is None and not recorded:
        under = os.path.abspath(options.root).rstrip("/")
        options.state_dir = options.state_dir or f"{under}/var/lib/gamesad"
        options.runtime_dir = options.runtime_dir or f"{under}/run/gamesad"
    if options.shm is None and options.root == "/" and options.simulate is None:
        options.shm = PATH
    if options.shm == "":
        parser.error("--shm: an empty name is no file; to have none, say --without crystal")
    if options.duration is not None and not options.duration > 0:
        parser.error(f"--duration: {options.duration:g} is not a number of seconds above 0")


def _scoring(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.limit is not None and not -100 < options.limit < 200:
        parser.error(f"--limit: {options.limit:g} is no temperature that a computer may reach, in °C")
    for given in (name for name in ("json", "plot", "limit") if getattr(options, name) and not options.evaluate):
        parser.error(f"--{given} goes with --evaluate FILE")


def _evaluate(options: argparse.Namespace) -> int:
    try:
        from gamesad.evaluation import command  # noqa: PLC0415 - 150 ms, and numpy may not be there
    except ImportError as error:
        library = (error.name or "numpy").partition(".")[0]
        print(f"gamesad: --evaluate needs {library}: apt install python3-{library}", file=sys.stderr)
        return EXIT_FAILED
    return command.run(options)


def _restore(options: argparse.Namespace) -> int:
    """Runs at every stop of the unit. Says what it did on stderr, which systemd takes to the journal."""
    from gamesad.actuation.restore import restore  # noqa: PLC0415 - --restore is to be quick

    holder = _lock_holder(options.runtime_dir)
    # A process that waits in the kernel for a driver cannot be killed and keeps its lock. systemd then goes on to
    # ExecStopPost, where $MAINPID still names it (systemd.exec(5)). Its last write may get through later, and then the
    # next start puts that back too.
    given_up = "SERVICE_RESULT" in os.environ and os.environ.get("MAINPID") == holder
    if holder is not None and not given_up:
        print("gamesad: it is running and puts things back itself; stop it, or use 'gamesactl pause'", file=sys.stderr)
        return EXIT_FAILED
    restored = restore(options.runtime_dir, options.state_dir, options.root, keep=holder is not None)
    if restored.restored:
        print(f"gamesad: put back {', '.join(restored.restored)}", file=sys.stderr)
    for name, reason in restored.left.items():
        print(f"gamesad: {name} was left: {reason}", file=sys.stderr)
    return EXIT_OK


def _lock_holder(runtime_dir: str) -> str | None:
    """The process that holds this baseline (gamesad.machine.lock), "" if it could not say so; None if there is none."""
    try:
        handle = os.open(os.path.join(runtime_dir, "lock"), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(handle, 32).decode(errors="replace")
    finally:
        os.close(handle)
    return None


def _show_config(file: str | None, *, origins: bool) -> int:
    from gamesad import config  # noqa: PLC0415 - --restore does without
    from gamesad.errors import ConfigError  # noqa: PLC0415 - as above

    try:
        print(config.show(config.load(file), origin=origins), end="")
    except ConfigError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    return EXIT_OK


def _check_config(file: str | None) -> int:
    from gamesad import config  # noqa: PLC0415 - --restore does without
    from gamesad.errors import ConfigError  # noqa: PLC0415 - as above

    try:
        loaded = config.load(file)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        count = len(error.problems)
        print(f"gamesad: {count} fault{'s' if count > 1 else ''} in the configuration", file=sys.stderr)
        return EXIT_USAGE
    print(f"gamesad: the configuration is good; profiles: {', '.join(loaded.profiles)}")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
