"""One tunable by hand: set, then confirm or let it go back."""

from __future__ import annotations

import select
import sys
import time

from gamesactl import bus, lookup
from gamesactl.arguments import Arguments
from gamesactl.bus import Gamesad
from gamesactl.commands.machine import allowed
from gamesactl.errors import ClientError, Failed, Usage
from gamesactl.output import Output
from gamesactl.render import Fields, setting, text
from gamesactl.render import names as words
from gamesactl.suggest import did_you_mean
from gamesactl.terminal import is_terminal
from gamesactl.values import duration_s, quantity, span
from gamesad.bus import names

_ASK_S = 30
_MARGIN_S = 2
"""The daemon's clock runs a little longer than the question, so that an answer in the last second still counts."""


def set(arguments: Arguments, output: Output) -> None:  # noqa: A001 the function is named after its verb
    name, value = arguments.words
    if arguments.given("keep") and arguments.given("revert-after"):
        raise Usage("--keep and --revert-after exclude each other")
    given = arguments.option("revert-after")
    ask = is_terminal(sys.stdin) and is_terminal(sys.stdout) and not output.json and not arguments.given("keep")
    after_s = duration_s(given) if given is not None else _ASK_S if ask else 0

    async def work(gamesad: Gamesad) -> Fields:
        found = lookup.tunable(await gamesad.tunables(), name)
        await gamesad.set_tunable(name, _parsed(found, value), after_s + (_MARGIN_S if ask else 0))
        return lookup.tunable(await gamesad.tunables(), name)

    now: Fields = bus.run(work)
    if output.json:
        output.document(now)
        return
    before, after = setting(now.get("Found"), text(now, "Unit")), setting(now.get("Value"), text(now, "Unit"))
    output.line(f"{name}: {after} (found: {before})")
    if refused := text(now, "Refused"):
        raise Failed(f"{refused}; gamesactl reset {name} takes the wish back")
    if ask:
        _keep_or_not(name, after_s, output)
    elif after_s:
        output.line(f"goes back in {span(after_s)} unless confirmed: gamesactl confirm {name}")


def _keep_or_not(name: str, after_s: int, output: Output) -> None:
    """Anything but a yes in time puts the old value back; so do Ctrl-C and the end of the terminal."""
    keep = False
    try:
        keep = _asked(f"keep? It goes back in {span(after_s)}. [y/N] ", after_s)
    finally:
        bus.run(lambda gamesad: gamesad.confirm_tunable(name) if keep else _put_back(gamesad, name))
    output.line("kept; gamesactl reset takes it back" if keep else "put back")


def _asked(question: str, wait_s: float) -> bool:
    print(question, end="", flush=True)
    deadline = time.monotonic() + wait_s
    ready, _, _ = select.select([sys.stdin], [], [], max(0.0, deadline - time.monotonic()))
    if not ready:
        print()
        return False
    return sys.stdin.readline().strip().casefold() in ("y", "yes", "keep")


async def _put_back(gamesad: Gamesad, name: str) -> None:
    try:
        await gamesad.reset_tunable(name)
    except ClientError as error:
        if error.name != names.ERROR_UNKNOWN_TUNABLE:  # its time was up: it has gone back already
            raise


def confirm(arguments: Arguments, output: Output) -> None:
    _finish(arguments.words[0], output, confirming=True)


def reset(arguments: Arguments, output: Output) -> None:
    _finish(arguments.words[0], output, confirming=False)


def _finish(name: str, output: Output, *, confirming: bool) -> None:
    async def work(gamesad: Gamesad) -> Fields:
        try:
            await (gamesad.confirm_tunable(name) if confirming else gamesad.reset_tunable(name))
        except ClientError as error:
            if error.name == names.ERROR_UNKNOWN_TUNABLE:
                lookup.tunable(await gamesad.tunables(), name)  # says better what is wrong with the name
            raise
        return lookup.tunable(await gamesad.tunables(), name)

    now = bus.run(work)
    shown = setting(now.get("Value"), text(now, "Unit"))
    output.done(now, f"{name}: {shown} {'is kept' if confirming else ', decided by gamesad again'}".replace(" ,", ","))


def _parsed(tunable: Fields, value: str) -> str | int:
    """A choice as it is spelled, or a whole number in the tunable's unit. Raises Usage."""
    choices = words(tunable, "Choices")
    if choices:
        if value not in choices:
            raise Usage(
                f"{text(tunable, 'Name')} takes {', '.join(choices)}; not {value!r}{did_you_mean(value, choices)}"
            )
        return value
    try:
        number = quantity(value, text(tunable, "Unit"))
    except Usage as error:
        raise Usage(f"{error}; {text(tunable, 'Name')} takes {allowed(tunable)}") from None
    return round(number)
