"""The segment in shared memory: what it holds and how its blocks lie."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gamesactl import adviser, segment
from gamesactl.arguments import Arguments
from gamesactl.errors import ClientError, Failed, Usage
from gamesactl.output import Output
from gamesactl.render import Cell, Column, Fields, number, table
from gamesactl.suggest import did_you_mean
from gamesactl.terminal import harmless
from gamesactl.values import UNKNOWN, amount, clock, percent, span
from gamesad.crystal import layout

if TYPE_CHECKING:
    from gamesad.crystal.blocks import BlockInfo

_WHAT = ("stats", "blocks", "dump", "advise", "compact")
_ADVICE, _SURVEY = "Advice", "Survey"
"""JSON texts among the statistics: the built-in adviser's plan, and what any adviser needs to know."""
_BLOCKS = (
    Column("BLOCK", right=True),
    Column("ADDRESS"),
    Column("SIZE", right=True),
    Column("LIES IN", right=True, drop=3),
    Column("TIER"),
    Column("HEAT", right=True, drop=2),
    Column("WRITTEN", drop=1),
    Column("OWNER"),
)
_BYTES = ("size", "limit", "used", "free", "largest_free", "length")
_ROW = 16


def crystal(arguments: Arguments, output: Output) -> None:
    what, block = arguments.words[0], arguments.word(1)
    if what not in _WHAT:
        raise Usage(f"crystal {what!r}{did_you_mean(what, _WHAT)}: it is {', '.join(_WHAT[:-1])} or {_WHAT[-1]}")
    if what == "dump" and block is None:
        raise Usage("which block? gamesactl crystal dump BLOCK; gamesactl crystal blocks lists them")
    if what != "dump" and block is not None:
        raise Usage(f"crystal {what} takes no block")
    if what != "advise" and (arguments.given("command") or arguments.given("apply")):
        raise Usage("--command and --apply go with advise: gamesactl crystal advise --apply")
    if what == "dump":
        _dump(block or "", output)
    elif what == "advise":
        _advise(arguments.option("command"), output, apply=arguments.given("apply"))
    else:
        {"stats": _stats, "blocks": _blocks, "compact": _compact}[what](output)


def _stats(output: Output) -> None:
    """From the segment while it is kept; what only the daemon counts comes from the bus."""
    found = _statistics(output)
    if output.json:
        output.document(found)
        return
    width = max((len(_words(name)) for name in found), default=0) + 2
    output.lines([f"{_words(name):{width}}{_shown(name, found)}" for name in found] or ["no blocks"])


def _words(name: str) -> str:
    return harmless(name).removesuffix("_ppm").replace("_", " ")


def _shown(name: str, found: Fields) -> str:
    value = number(found, name)
    if value is None:
        return harmless(found.get(name))
    if name.endswith("_ppm"):
        return percent(value / 1e6)
    return amount(value, "B") if name.endswith("bytes") or name in _BYTES else f"{value:.6g}"


def _statistics(output: Output) -> Fields:
    """Without what is for advisers."""
    crystal, stale_s = segment.found()
    if crystal is not None and stale_s is None and (published := crystal.statistics()):
        return published
    try:
        return {name: value for name, value in _asked().items() if name not in {_ADVICE, _SURVEY}}
    except ClientError as error:
        if crystal is None:
            raise
        if stale_s is not None:
            output.note(f"stale since {clock(stale_s)}: {error}")
        return crystal.statistics()  # {} of a pool that was never used


def _asked() -> Fields:
    from gamesactl import bus  # noqa: PLC0415 - it cannot be imported without dbus_next

    return bus.run(lambda gamesad: gamesad.crystal_stats())


def _blocks(output: Output) -> None:
    found = segment.attach().blocks()
    if output.json:
        output.document([_document(one) for one in found])
        return
    output.lines(table(_BLOCKS, [_row(one) for one in found], output.width, output.style) if found else ["no blocks"])


def _row(block: BlockInfo) -> list[Cell]:
    return [
        str(block.id),
        f"{block.address:#x}",
        amount(block.size, "B"),
        amount(block.stored, "B"),
        layout.TIERS[block.tier],
        f"{block.heat:.1f}",
        clock(block.modified_s) if block.modified_s else UNKNOWN,
        harmless(block.owner),
    ]


def _document(block: BlockInfo) -> dict[str, object]:
    return {
        "Id": block.id,
        "Address": block.address,
        "Size": block.size,
        "Stored": block.stored,
        "Tier": layout.TIERS[block.tier],
        "Owner": block.owner,
        "Heat": block.heat,
        "Modified": block.modified_s,
        "Generation": block.generation,
        "Sealed": block.sealed,
    }


def _dump(wanted: str, output: Output) -> None:
    """By id or address; the contents as they are when thawed."""
    crystal = segment.attach()
    block = _find(crystal.blocks(), wanted)
    data = crystal.read(block.id)
    if output.json:
        output.document({**_document(block), "Data": bytes(data).hex()})
        return
    for name, value in _document(block).items():
        shown = f"{value:#x}" if name == "Address" else harmless(value)
        output.line(output.style("bold", f"{name:12}") + shown)
    output.lines(_hex(data))


def _find(blocks: Sequence[BlockInfo], wanted: str) -> BlockInfo:
    try:
        asked = int(wanted, 0)
    except ValueError:
        raise Usage(f"{wanted!r} is no block's number or address; gamesactl crystal blocks lists them") from None
    for block in blocks:
        if asked in (block.id, block.address):
            return block
    raise Failed(f"there is no block {wanted}; gamesactl crystal blocks lists them")


def _hex(data: bytes) -> Iterator[str]:
    for start in range(0, len(data), _ROW):
        row = data[start : start + _ROW]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{start:08x}  {row.hex(' '):{3 * _ROW}} {shown}"


def _advise(command: str | None, output: Output, *, apply: bool) -> None:
    """The built-in adviser's plan, or another program's, who is given what the built-in one knows."""
    told = _asked()
    if command is None:
        plan = adviser.parsed(_text(told, _ADVICE), "gamesad")
    else:
        plan = adviser.plan_of(command, _text(told, _SURVEY))
    if not apply:
        output.document(plan)
        return
    from gamesactl import bus  # noqa: PLC0415 - as above

    report = bus.run(lambda gamesad: gamesad.apply_layout(json.dumps(plan)))
    said = ", ".join(f"{_words(name)} {_shown(name, report)}" for name in report)
    output.done({"Plan": plan, "Report": report}, f"applied: {said}" if said else "applied")


def _text(told: Fields, key: str) -> str:
    found = told.get(key)
    if not isinstance(found, str) or not found:
        raise Failed("gamesad says nothing of how its blocks lie; compare: gamesactl version")
    return found


def _compact(output: Output) -> None:
    from gamesactl import bus  # noqa: PLC0415 - as above

    async def work(gamesad: bus.Gamesad) -> tuple[Fields, Fields, float]:
        before, started_s = await gamesad.crystal_stats(), time.monotonic()
        await gamesad.compact_crystal()
        return before, await gamesad.crystal_stats(), time.monotonic() - started_s

    before, after, took_s = bus.run(work)
    document = {"Before": before, "After": after}
    output.done(document, f"compacted in {span(took_s)}: {_size(before)} → {_size(after)}")


def _size(told: Fields) -> str:
    value = number(told, "size")
    return amount(value, "B") if value is not None else UNKNOWN
