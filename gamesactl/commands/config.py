"""The configuration, as the gamesad executable reads it; no daemon is needed."""

from __future__ import annotations

import subprocess
import tomllib

from gamesactl import executable
from gamesactl.arguments import Arguments
from gamesactl.errors import Failed, Usage
from gamesactl.output import Output
from gamesactl.suggest import did_you_mean
from gamesactl.terminal import harmless

_WHAT = ("check", "show")
_LONGEST = 100_000


def config(arguments: Arguments, output: Output) -> None:
    what = arguments.words[0]
    if what not in _WHAT:
        raise Usage(f"config {what!r}{did_you_mean(what, _WHAT)}: it is check or show")
    if what == "check" and arguments.given("origin"):
        raise Usage("--origin goes with show: gamesactl config show --origin")
    if what == "show":
        _show(arguments, output)
    else:
        _check(arguments, output)


def _check(arguments: Arguments, output: Output) -> None:
    """Every fault is a line on stdout; the exit code is 1 when there is one."""
    ran = _gamesad(["--check-config"], arguments)
    said = [harmless(line, _LONGEST) for line in (ran.stdout + ran.stderr).splitlines() if line]
    problems = [line for line in said if not line.startswith("gamesad:")]
    if ran.returncode == 0:
        output.done({"Valid": True, "Problems": []}, "\n".join(line.removeprefix("gamesad: ") for line in said))
        return
    if output.json:
        output.document({"Valid": False, "Problems": problems})
    else:
        output.lines(problems)
    raise Failed(said[-1].removeprefix("gamesad: ") if said else "gamesad says the configuration is bad")


def _show(arguments: Arguments, output: Output) -> None:
    mode = "--show-config=origin" if arguments.given("origin") else "--show-config"
    ran = _gamesad([mode], arguments)
    if ran.returncode != 0:
        said = [line for line in ran.stderr.splitlines() if line]
        raise Failed(f"{said[-1].removeprefix('gamesad: ') if said else 'gamesad failed'}; see: gamesactl config check")
    text = [harmless(line.replace("\t", "    "), _LONGEST) for line in ran.stdout.splitlines()]
    if output.json:
        output.document(_document(ran.stdout, text, origin=arguments.given("origin")))
    else:
        output.lines(text)


def _document(text: str, lines: list[str], *, origin: bool) -> object:
    """The configuration as a dictionary; with --origin as the lines that name where each value comes from."""
    if origin:
        return {"Lines": lines}
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Failed(f"gamesad printed no TOML: {error}; compare: gamesactl version") from None


def _gamesad(mode: list[str], arguments: Arguments) -> subprocess.CompletedProcess[str]:
    file = arguments.option("config")
    return executable.run([*mode, *(["--config", file] if file is not None else [])])
