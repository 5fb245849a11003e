"""What the daemon has learnt on this machine: how good it is, what the policy would do, what is odd."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gamesactl import describe, executable, learnt
from gamesactl.arguments import Arguments
from gamesactl.errors import Failed, Usage
from gamesactl.output import Output
from gamesactl.render import Cell, Column, Fields, items, mapping, number, table, text
from gamesactl.suggest import did_you_mean
from gamesactl.terminal import harmless
from gamesactl.values import UNKNOWN, clock
from gamesad.bus import names

_WHAT = ("status", "shadow", "mode", "checkpoint", "reset", "evaluate")
_INTERRUPTED = (130, 143, -2, -15)
_LONGEST = 1000
"""Characters of a line of the report."""
_PROPOSALS = (Column("TIME"), Column("WOULD DO"), Column("IN FORCE"), Column("REASON", wraps=True))


def neural(arguments: Arguments, output: Output) -> int | None:
    what, *words = arguments.words
    if what not in _WHAT:
        raise Usage(f"neural {what!r}{did_you_mean(what, _WHAT)}: it is {', '.join(_WHAT[:-1])} or {_WHAT[-1]}")
    if arguments.given("plot") and what != "evaluate":
        raise Usage("--plot goes with evaluate: gamesactl neural evaluate FILE --plot PNG")
    if what == "evaluate":
        return _evaluate(words, arguments.option("plot"), output)
    if words and what not in ("mode", "reset"):
        raise Usage(f"neural {what} takes no word; {words[0]!r} is one too many")
    if len(words) > 1:
        raise Usage(f"neural {what} takes one word; {words[1]!r} is one too many")
    if what == "mode":
        _mode(_chosen("mode", names.POLICY_MODES, words), output)
    elif what == "reset":
        _reset(_chosen("reset", names.MODELS, words or ["all"]), output)
    else:
        {"status": _status, "shadow": _shadow, "checkpoint": _checkpoint}[what](output)
    return None


def _chosen(what: str, known: Sequence[str], words: Sequence[str]) -> str:
    choice = f"{', '.join(known[:-1])} or {known[-1]}"
    if not words:
        raise Usage(f"which? gamesactl neural {what} WORD: it is {choice}")
    if words[0] not in known:
        raise Usage(f"neural {what} {words[0]!r}{did_you_mean(words[0], known)}: it is {choice}")
    return words[0]


def _asked() -> Fields:
    from gamesactl import bus  # noqa: PLC0415 - evaluate needs no bus, and no dbus_next

    return bus.run(lambda gamesad: gamesad.neural_status())


# ---- status


def _status(output: Output) -> None:
    told = _asked()
    if output.json:
        output.document(told)
        return
    parts = (learnt.of_all, learnt.of_policy, learnt.of_anomalies, learnt.of_life)
    output.lines(learnt.said([row for part in parts for row in part(told)], output))
    output.lines(learnt.sensors(told, output))


# ---- the policy


def _shadow(output: Output) -> None:
    told = _asked()
    policy = mapping(told, "Policy")
    if not policy:
        raise Failed(f"there is no policy: {text(told, 'State') or 'gamesad says nothing of one'}")
    if output.json:
        output.document(policy)
        return
    inputs = mapping(policy, "Inputs")
    seen = [f"{harmless(name)} {value:.3g}" for name in inputs if (value := number(inputs, name)) is not None]
    steps, explored = number(policy, "Steps"), number(policy, "Explored")
    said = f"{steps:.0f} steps" if steps is not None else ""
    said += f", in {explored:.0f} of them chosen by chance where it made no difference" if explored and said else ""
    output.lines(
        learnt.said([*learnt.of_policy(told), ("Learnt from", said, ""), ("It sees", ", ".join(seen), "")], output)
    )
    rows: list[list[Cell]] = [
        [
            clock(then) if (then := number(one, "Time")) is not None else UNKNOWN,
            (text(one, "Action") or UNKNOWN, describe.action_style(one)),
            text(one, "InForce") or UNKNOWN,
            "; ".join(filter(None, (text(one, "Would"), text(one, "Reason")))),
        ]
        for one in sorted(items(policy, "Proposals"), key=lambda one: number(one, "Time") or 0.0, reverse=True)
    ]
    output.lines(["", *table(_PROPOSALS, rows, output.width, output.style)] if rows else ["no proposals yet"])


def _mode(mode: str, output: Output) -> None:
    from gamesactl import bus  # noqa: PLC0415 - as above

    bus.run(lambda gamesad: gamesad.set_policy_mode(mode))
    kept = f'neural.policy = "{mode}" in the configuration keeps it'
    output.done({"Mode": mode}, f"{mode}: {learnt.MODES[mode]}, until the next start or reload; {kept}")


# ---- keeping and forgetting


def _checkpoint(output: Output) -> None:
    from gamesactl import bus  # noqa: PLC0415 - as above

    async def work(gamesad: bus.Gamesad) -> Fields:
        await gamesad.checkpoint_models()
        return await gamesad.neural_status()

    saved = number(mapping(bus.run(work), "Life"), "Checkpoint")
    output.done({"Checkpoint": saved}, "saved" + (f" at {clock(saved)}" if saved is not None else ""))


def _reset(which: str, output: Output) -> None:
    from gamesactl import bus  # noqa: PLC0415 - as above

    bus.run(lambda gamesad: gamesad.reset_models(which))
    output.done({"Reset": which}, f"forgotten: {which}; learning begins anew")


def _evaluate(files: Sequence[str], plot: str | None, output: Output) -> int | None:
    """As the gamesad executable scores them."""
    if not files:
        raise Usage("which recordings? gamesactl neural evaluate FILE ...")
    named = [f"./{name}" if name.startswith("-") else name for name in files]
    options = ["--evaluate", *named, *(["--json"] if output.json else []), *(["--plot", plot] if plot else [])]
    code, said, complaints = executable.run_for_long(options)
    if code in _INTERRUPTED:
        raise KeyboardInterrupt
    if said and output.json:
        output.document(_document(said))
    else:
        output.lines(harmless(line, _LONGEST) for line in said.splitlines())
    lines = [line for line in complaints.splitlines() if line]
    for line in lines if code == 0 else lines[:-1]:
        output.note(harmless(line.removeprefix("gamesad: ")))
    if code != 0:
        raise (Usage if code == Usage.exit_code else Failed)(executable.complaint(complaints))
    return None


def _document(said: str) -> object:
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        raise Failed("gamesad printed no report; compare: gamesactl version") from None
