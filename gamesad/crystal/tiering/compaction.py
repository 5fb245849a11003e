"""In what order blocks lie after a compaction, and the built-in adviser that says which tier they belong in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gamesad.crystal.layout import COLD, FROZEN, HOT, WARM
from gamesad.crystal.tiering.freezer import LARGEST
from gamesad.crystal.tiering.plan import Plan
from gamesad.crystal.tiering.tiers import Rules

GROUP = 16
"""Blocks in a group at most; a longer chain of what follows what says little about any two of them."""
OFTEN = 3
"""How often two blocks were read one after the other before they count as read together."""
_MOVED, _ORDERED, _GROUPS = 1000, 256, 32
"""Blocks and groups in an adviser's plan, at most: what fits into a message on the bus."""
_PLACE = {HOT: 0, WARM: 1, FROZEN: 2, COLD: 3}
"""COLD last: when it is frozen, its old places make one free run at the end."""

Pairs = Iterable[tuple[int, int, int]]
"""A block, one that was read after it, and how often lately."""


class Stored(NamedTuple):
    """What the adviser knows of a block: ``size`` in bytes as it lies, ``heat`` its decayed count of accesses."""

    block: int
    size: int
    tier: int
    heat: float
    idle_s: float
    """Since it came into its tier, as far as known."""


def groups_of(pairs: Pairs) -> list[tuple[int, ...]]:
    """What is read together: the strongest pairs first, joined into chains of at most ``GROUP`` blocks."""
    chain_of: dict[int, list[int]] = {}
    for first, second, count in sorted(pairs, key=lambda pair: (-pair[2], pair)):
        one, other = chain_of.get(first, [first]), chain_of.get(second, [second])
        if count < OFTEN or first == second or one is other or len(one) + len(other) > GROUP:
            continue
        one.extend(other)
        chain_of.update(dict.fromkeys(one, one))
    return [tuple(chain) for chain in {id(chain): chain for chain in chain_of.values()}.values()]


def order(stored: Sequence[Stored], groups: Iterable[Sequence[int]], first: Sequence[int] = ()) -> list[int]:
    """Every block once: by tier, within it ``first``, then by heat, and a group where its hottest member lies."""
    heat = {one.block: one.heat for one in stored}
    chosen = {block: place for place, block in enumerate(first)}
    beside: dict[int, tuple[float, int, int]] = {}
    for group in groups:
        members = [block for block in group if block in heat]
        for place, block in enumerate(members):
            beside[block] = (-max(heat[member] for member in members), members[0], place)

    def rank(one: Stored) -> tuple[float, ...]:
        if one.block in chosen:
            return (_PLACE[one.tier], 0, chosen[one.block])
        return (_PLACE[one.tier], 1, *beside.get(one.block, (-one.heat, one.block, 0)))

    return [one.block for one in sorted(stored, key=rank)]


def advise(stored: Sequence[Stored], pairs: Pairs, rules: Rules, *, hot_bytes: int) -> Plan:
    """A plan from the statistics: what is above or below the rules' bounds goes all the way at once.

    The rules move a block one tier per dwell time; the adviser sees where that ends. The hottest are HOT as far as
    ``hot_bytes`` reach; what rested for a dwell time is frozen. Only what matters is named: the largest, the hottest.
    """
    resting = [
        one
        for one in sorted(stored, key=lambda one: (-one.size, one.block))
        if one.heat < rules.demote_below and (one.tier == COLD or one.idle_s >= rules.dwell_s)
    ]
    busy = sorted((one for one in stored if one.heat > rules.promote_above), key=lambda one: (-one.heat, one.block))
    tiers = {one.block: FROZEN if one.size <= LARGEST else COLD for one in resting}
    stay = (one for one in stored if one.tier == HOT and one.block not in tiers and one.heat <= rules.promote_above)
    room = hot_bytes - sum(one.size for one in stay)
    for one in busy:
        tiers[one.block] = HOT if one.size <= room else WARM
        room -= one.size if one.size <= room else 0
    moved = [(one.block, tiers[one.block]) for one in (*busy, *resting) if tiers[one.block] != one.tier]
    laid = [one._replace(tier=tiers.get(one.block, one.tier)) for one in stored]
    known = {one.block for one in stored}
    groups = [group for group in groups_of(pairs) if known.issuperset(group)][:_GROUPS]
    return Plan(dict(moved[:_MOVED]), tuple(order(laid, groups)[:_ORDERED]), tuple(groups))
