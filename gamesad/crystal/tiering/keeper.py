"""Keeps the pool in order: counts accesses, moves blocks between tiers, thaws ahead, compacts, tries plans.

Everything happens in ``maintain``, in small steps within a budget: no tick waits for any of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from time import perf_counter

from gamesad.crystal.errors import CrystalError, CrystalFull
from gamesad.crystal.layout import FROZEN, HOT, POOL, WARM
from gamesad.crystal.pool.pool import Block, Pool
from gamesad.crystal.segment import Segment
from gamesad.crystal.tiering.accesses import Accesses
from gamesad.crystal.tiering.freezer import Clock
from gamesad.crystal.tiering.locked import Locked
from gamesad.crystal.tiering.moves import Move, may_freeze
from gamesad.crystal.tiering.prefetch import Budget
from gamesad.crystal.tiering.relayout import Relayout
from gamesad.crystal.tiering.tiers import Settings, next_tier

REVIEW_S = 10.0
"""Seconds between two looks at all the blocks."""
_FULL_S = 60.0
"""Until the next one, when there was no room for what the last one wanted."""
_OVER = {
    "room": "there is room again for blocks to change their tiers",
    "lock": "all hot blocks are locked in memory again",
}


class Keeper:
    """Belongs to the pool's one thread.

    ``tell`` gets one line when something begins to go wrong, when that is over, and on the outcome of compactions and
    plans; ``replaced`` the segment that a compaction has put in the place of the pool's. Budgets are held to ``clock``.
    """

    def __init__(
        self,
        pool: Pool,
        settings: Settings,
        *,
        tell: Callable[[str], None] = lambda _: None,
        replaced: Callable[[Segment], None] = lambda _: None,
        clock: Clock = perf_counter,
    ) -> None:
        self._pool, self._settings = pool, settings
        self._tell, self._clock, self._replaced = tell, clock, replaced
        self._accesses = Accesses(pool, settings.prefetch, settings.trial_s)
        self._moves: deque[tuple[Block, int]] = deque()
        self._layouts = Relayout(pool, self._accesses, self._moves, settings, tell=tell, moved=self._moved)
        self._review: deque[Block] = deque()
        self._review_s = 0.0
        self._ran_out = False
        """Of room, since the last review."""
        self._ahead: Move | None = None
        self._work: Move | None = None
        self._locked: Locked | None = None
        self._spans: list[tuple[int, int]] = []
        self._wrong: dict[str, str] = {}

    def hint(self, addresses: Iterable[int]) -> int:
        """What clients say they read; how many of them are taken: 256 in a second, the rest is dropped.

        An address where no block begins counts for nothing.
        """
        return self._accesses.hint(addresses)

    def configure(self, settings: Settings) -> None:
        """From now on."""
        self._settings = self._layouts.settings = settings
        self._accesses.prefetch.budget = settings.prefetch or Budget(0)

    def compact(self) -> None:
        """Begins a compaction, unless one goes on. CrystalFull: everything stays as it is."""
        self._layouts.compact()

    @property
    def compacting(self) -> bool:
        return self._layouts.compacting

    def close(self) -> None:
        """The pool's segment is about to be closed."""
        self._layouts.abandon()

    def apply(self, text: str) -> dict[str, int | float | str]:
        """Begins a trial of the plan in ``text``; what it changes. PlanError: nothing."""
        return self._layouts.apply(text)

    def advice(self) -> str:
        """A plan by the built-in adviser, as JSON."""
        return self._layouts.advice()

    def survey(self) -> str:
        """What an adviser needs to know, as one JSON object: blocks, pairs, rules, statistics."""
        return self._layouts.survey(self.statistics())

    def statistics(self) -> dict[str, int | float | str]:
        """Beside the pool's own."""
        prefetch, measure = self._accesses.prefetch, self._accesses.meter.measure()
        state = "off" if not self._settings.prefetch else "on" if prefetch.on else "watching"
        return {
            "accesses": measure.accesses,
            "read_wait_us": measure.wait_s * 1e6,
            "locked_bytes": self._locked.bytes if self._locked else 0,
            "moves_waiting": len(self._moves),
            "prefetch": state,
            "prefetch_score": prefetch.score,
            "prefetch_thawed": prefetch.counts.thawed,
            "prefetch_wasted": prefetch.counts.wasted,
            "prefetch_cpu_s": prefetch.counts.cpu_s,
            "prefetch_resident_bytes": prefetch.resident,
            "problems": "; ".join(self._wrong.values()),
            **self._layouts.statistics(),
        }

    # ---- between ticks

    def maintain(self, now_s: float, budget_s: float) -> None:
        """Goes on with whatever there is to do; past the budget by one step at most, about a millisecond.

        ``now_s``: a clock that goes on steadily, also one that is made up.
        """
        until_s = self._clock() + budget_s
        accesses = self._accesses
        accesses.meter.hold(max(0.0, now_s - accesses.now_s), self._layouts.resident)
        accesses.now_s = max(now_s, accesses.now_s)
        accesses.count(self._settings.rules.half_life_s, lambda: self._clock() < until_s)
        while self._clock() < until_s and self._step(until_s):
            pass
        self._lock()
        self._pool.seal(max(0.0, until_s - self._clock()))
        counts, counters = accesses.prefetch.counts, self._pool.counters
        counters["prefetch_hits"], counters["prefetch_misses"] = counts.hits, counts.misses

    def _step(self, until_s: float) -> bool:
        """Does the next thing. False: there is none."""
        self._ahead = self._ahead or self._next_ahead()
        if self._ahead:
            if self._advance(self._ahead, until_s):
                move, self._ahead, prefetch = self._ahead, None, self._accesses.prefetch
                if move.done:
                    prefetch.thawed(move.block.id, move.block.size, move.cpu_s)
                else:
                    prefetch.spent(move.cpu_s)
                    prefetch.gone(move.block.id)
            return True
        if self._layouts.step(moving=bool(self._work or self._moves)):
            return True
        self._work = self._work or self._next_move()
        if self._work:
            if self._advance(self._work, until_s):
                self._work = None
            return True
        return self._review_next()

    def _next_ahead(self) -> Move | None:
        known, prefetch = self._accesses.known, self._accesses.prefetch
        wanted = prefetch.wanted(self._accesses.now_s, lambda block: known[block].block.size)
        return None if wanted is None else Move(self._pool, known[wanted].block, WARM)

    def _next_move(self) -> Move | None:
        while (lost := self._accesses.prefetch.lost()) is not None:
            if lost in self._accesses.known and may_freeze(self._accesses.known[lost].block):
                return Move(self._pool, self._accesses.known[lost].block, FROZEN, wasted=True)
        while self._moves:
            block, tier = self._moves.popleft()
            if block.units and block.tier != tier and (tier != FROZEN or may_freeze(block)):
                return Move(self._pool, block, tier)
        return None

    def _advance(self, move: Move, until_s: float) -> bool:
        """One step of ``move``. True: it ended, one way or another."""
        block, before = move.block, move.block.tier
        try:
            if not move.step(until_s, self._clock):
                return False
        except CrystalFull as error:
            self._problem("room", f"block {block.id} cannot change its tier: {error}")
            self._ran_out = True
            self._moves.clear()
            self._review.clear()
            self._review_s = self._accesses.now_s + _FULL_S
            return True
        except CrystalError as error:
            self._tell(f"block {block.id} ({block.owner or 'no owner'}) stays frozen: {error}; free it")
        if move.wasted:
            self._accesses.prefetch.spent(move.cpu_s)
        if not block.units:
            return True
        known = self._accesses.look(block)
        if not move.done:
            known.stays = move.version
        else:
            self._pool.counters["promotions" if move.tier < before else "demotions"] += 1
            if move.tier == FROZEN:
                self._accesses.prefetch.gone(block.id)
        return True

    def _review_next(self) -> bool:
        """Looks at one block by the rules. False: the next round is not due yet."""
        if not self._review:
            if self._accesses.now_s < self._review_s:
                return False
            self._begin_review()
            return bool(self._review)
        block, rules, now_s = self._review.popleft(), self._settings.rules, self._accesses.now_s
        if not block.units:
            return True
        known = self._accesses.look(block)
        heat = known.now(now_s, rules.half_life_s)
        if abs(heat - block.heat) > 0.01 * heat + 0.001:
            self._pool.set_heat(block, heat)
        tier = next_tier(block.tier, heat, now_s - known.since_s, rules)
        stays = FROZEN in (tier, block.tier) and known.stays == block.generation
        ahead = tier > block.tier and self._accesses.prefetch.holds(block.id)
        if tier == block.tier or stays or ahead or self._layouts.holds(block):
            return True
        hot = block.size + sum(one.size for one in self._accesses.hot)
        if tier != HOT or hot <= self._settings.hot_bytes:
            self._moves.append((block, tier))
        return True

    def _begin_review(self) -> None:
        if not self._ran_out:
            self._problem("room", "")
        self._ran_out = False
        blocks = self._pool.blocks()
        self._review_s = self._accesses.now_s + REVIEW_S
        self._review.extend(blocks)
        self._accesses.forget(blocks)
        self._layouts.resident = sum(block.units << 6 for block in blocks)
        self._pool.publish()

    # ---- HOT

    def _lock(self) -> None:
        """Holds the pages of HOT blocks in memory, wherever they lie now."""
        start, _ = self._pool.segment.section(POOL)
        spans = sorted((start + block.offset, block.units << 6) for block in self._accesses.hot if block.units)
        if spans != self._spans:
            self._spans = spans
            self._locked = self._locked or Locked(self._pool.segment.memory)
            self._locked.hold(spans)
            self._problem("lock", self._locked.refused)

    def _moved(self, segment: Segment) -> None:
        """The pool lies in ``segment`` now."""
        if self._work:
            self._moves.appendleft((self._work.block, self._work.tier))
        if self._locked:
            self._locked.hold([])  # both places would count towards the limit
        self._ahead = self._work = self._locked = None
        self._spans = []
        self._lock()
        self._replaced(segment)

    def _problem(self, what: str, text: str) -> None:
        """Tells what goes wrong once, and when it is over."""
        if not text:
            if self._wrong.pop(what, ""):
                self._tell(_OVER[what])
        elif what not in self._wrong:
            self._wrong[what] = text
            self._tell(text)
