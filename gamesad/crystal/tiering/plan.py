"""A layout plan: a small JSON document that says which tier blocks belong in, and in what order they lie.

::

    {"blocks": {"12": "hot", "15": "cold"}, "order": [12, 13], "groups": [[13, 14], [15, 16]]}

Each of the three may be absent. ``order`` lies first within its tier, in that order; the blocks of a group are read
together and lie together. A plan comes from outside (a program, a language model): nothing in it is believed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from gamesad.crystal.errors import CrystalError
from gamesad.crystal.layout import TIERS

PLAN_BYTES = 64 << 10
_PARTS = ("blocks", "order", "groups")
_NUMBER = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)
_SHOWN = 40


class PlanError(CrystalError):
    """A plan that is not one; the text says where and what to do. Nothing of it was applied."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``tiers``: block → place in layout.TIERS. Every block in it exists, stands once in ``order`` and in one group."""

    tiers: Mapping[int, int] = field(default_factory=dict)
    order: tuple[int, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()

    def document(self) -> str:
        """The plan as ``parse`` reads it."""
        tiers = {str(block): TIERS[tier] for block, tier in self.tiers.items()}
        return json.dumps({"blocks": tiers, "order": self.order, "groups": self.groups})


def parse(text: str, known: Collection[int]) -> Plan:
    """The plan in ``text``, of the blocks in ``known``; PlanError at the first fault."""
    document = _loaded(text)
    for key in document:
        if key not in _PARTS:
            raise PlanError(f"plan: there is no {_short(key)}; a plan has {', '.join(_PARTS)}")
    if not document:
        raise PlanError(f"plan: it is empty; give at least one of {', '.join(_PARTS)}")
    order = _blocks(document.get("order", []), "order", known, set())
    groups, grouped = [], set[int]()
    for number, group in enumerate(_list(document.get("groups", []), "groups")):
        groups.append(_blocks(group, f"groups[{number}]", known, grouped))
    return Plan(_tiers(document.get("blocks", {}), known), order, tuple(groups))


def _loaded(text: str) -> dict[str, object]:
    if len(text) > PLAN_BYTES or len(text.encode(errors="replace")) > PLAN_BYTES:
        raise PlanError(f"plan: larger than {PLAN_BYTES >> 10} KiB; name the blocks that matter only")
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise PlanError("plan: nested too deep; lists of block ids are all there is") from None
    except ValueError as error:  # JSONDecodeError is one; so is a whole number of thousands of digits
        raise PlanError(f"plan: not JSON: {_short(str(error), 100)}; send one JSON object and nothing else") from None
    if not isinstance(document, dict):
        raise PlanError(f"plan: {_kind(document)} instead of an object; a plan has {', '.join(_PARTS)}")
    return document


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise PlanError(f"plan: {_short(next(name for name in names if names.count(name) > 1))} stands twice")
    return found


def _tiers(value: object, known: Collection[int]) -> dict[int, int]:
    if not isinstance(value, dict):
        raise PlanError(f"plan: blocks: {_kind(value)} instead of an object of block id and tier")
    tiers = {}
    for name, tier in value.items():
        block = _check(int(name) if _NUMBER.fullmatch(name) else name, "blocks", known)
        if tier not in TIERS:
            raise PlanError(f"plan: blocks.{name}: there is no tier {_short(tier)}; there are {', '.join(TIERS)}")
        tiers[block] = TIERS.index(tier)
    return tiers


def _blocks(value: object, where: str, known: Collection[int], met: set[int]) -> tuple[int, ...]:
    found = []
    for number, block in enumerate(_list(value, where)):
        found.append(_check(block, f"{where}[{number}]", known))
        if found[-1] in met:
            raise PlanError(f"plan: {where}[{number}]: block {found[-1]} stands twice; name it once")
        met.add(found[-1])
    return tuple(found)


def _check(block: object, where: str, known: Collection[int]) -> int:
    if type(block) is not int:  # True is an int to isinstance
        raise PlanError(f"plan: {where}: {_short(block)} instead of a block id; they are whole numbers")
    if block not in known:
        raise PlanError(f"plan: {where}: there is no block {_short(block)}; ask for the statistics again")
    return block


def _list(value: object, where: str) -> Iterable[object]:
    if not isinstance(value, list):
        raise PlanError(f"plan: {where}: {_kind(value)} instead of a list")
    return value


def _kind(value: object) -> str:
    return {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(
        type(value), "a number"
    )


def _short(value: object, most: int = _SHOWN) -> str:
    if isinstance(value, (dict, list)):
        return _kind(value)
    text = ascii(value) if isinstance(value, str) and most == _SHOWN else str(value)
    return text if len(text) <= most else text[:most] + "…"
