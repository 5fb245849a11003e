"""Compactions, and plans on trial: what changes where many blocks lie at once."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Generator, Mapping
from threading import Thread

from gamesad.crystal.errors import CrystalError
from gamesad.crystal.layout import FROZEN, HOT, TIERS
from gamesad.crystal.pool.pool import Block, Pool
from gamesad.crystal.segment import Segment
from gamesad.crystal.tiering import compaction, plan
from gamesad.crystal.tiering.accesses import Accesses
from gamesad.crystal.tiering.freezer import LARGEST
from gamesad.crystal.tiering.plan import Plan, PlanError
from gamesad.crystal.tiering.tiers import Settings
from gamesad.crystal.tiering.trial import Trial


class Relayout:
    def __init__(
        self,
        pool: Pool,
        accesses: Accesses,
        moves: deque[tuple[Block, int]],
        settings: Settings,
        *,
        tell: Callable[[str], None],
        moved: Callable[[Segment], None],
    ) -> None:
        """``moves`` takes what shall change its tier; ``moved`` is called with the segment the pool lies in now."""
        self.settings = settings
        self.resident = 0
        """Bytes that the blocks take, as of the last review."""
        self._pool, self._accesses, self._moves = pool, accesses, moves
        self._tell, self._moved = tell, moved
        self._steps: Generator[None, None, None] | None = None
        self._plan = Plan()
        self._trial: Trial | None = None
        self._laid = self._measuring = False
        self._outcome = self._compacted = ""

    def step(self, *, moving: bool) -> bool:
        """The next step of a compaction or a trial. False: there is none now. ``moving``: blocks change their tiers."""
        if self._steps is not None:
            if next(self._steps, self) is self:
                self._steps = None
            return True
        if self._trial is None or moving:
            return False
        if self._trial.order and not self._laid:
            self._laid = True
            self._begin(())
        elif not self._measuring:
            self._measuring, self._outcome = True, "on trial"
            self._accesses.meter.begin()
        elif self._accesses.meter.measured_s < self.settings.trial_s:
            return False
        else:
            self._judge(self._trial)
        return True

    # ---- compaction

    @property
    def compacting(self) -> bool:
        return self._steps is not None

    def abandon(self) -> None:
        """A compaction that goes on comes to nothing; its file is gone."""
        if self._steps is not None:
            self._steps.close()
            self._steps = None

    def compact(self, order: tuple[int, ...] = ()) -> None:
        """Begins one, unless one goes on: in ``order``, or by heat and by what is read together. CrystalFull."""
        old = self._pool.segment
        if self._steps is None and isinstance(old, Segment):
            self._steps = self._compaction(old, old.successor(), order)
            next(self._steps, None)  # begun: from now on the generator closes the new file, whatever happens

    def _compaction(self, old: Segment, fresh: Segment, order: tuple[int, ...]) -> Generator[None, None, None]:
        def put_in_place() -> None:
            for _ in fresh.take_from(old):  # once more: ticks went on
                pass
            fresh.beat()
            fresh.publish()

        try:
            yield from fresh.take_from(old)
            by_id = {block.id: block for block in self._pool.blocks()}
            blocks = [by_id[block] for block in order or self._order() if block in by_id]
            yield from self._pool.moving(fresh, blocks, put_in_place)
        except CrystalError as error:
            fresh.close(unlink=False)
            self._compacted = f"not compacted: {error}"
        except BaseException:  # whoever drives this has other worries; the file must not stay
            fresh.close(unlink=False)
            raise
        else:
            self._compacted = f"compacted: {old.length} bytes are {fresh.length}"
            self._moved(fresh)
            # The kernel needs 0.3 ms to take back a MiB; no tick waits for that where there is a thread to be had.
            try:
                Thread(target=old.close, kwargs={"unlink": False}, name="old segment").start()
            except RuntimeError:
                old.close(unlink=False)
        self._tell(self._compacted)

    def _begin(self, order: tuple[int, ...]) -> None:
        """A compaction that nobody waits for."""
        try:
            self.compact(order)
        except CrystalError as error:
            self._compacted = f"not compacted: {error}"
            self._tell(self._compacted)

    def _order(self) -> list[int]:
        groups = [*compaction.groups_of(self._accesses.prefetch.predictor.pairs()), *self._plan.groups]
        return compaction.order(self._accesses.stored(self.settings.rules.half_life_s), groups, self._plan.order)

    # ---- plans

    def apply(self, text: str) -> dict[str, int | float | str]:
        blocks = {block.id: block for block in self._pool.blocks()}
        found = plan.parse(text, blocks)
        if self._trial:
            raise PlanError("plan: another one is on trial; wait for its outcome")
        self._check(found, blocks)
        laid = tuple(sorted(blocks, key=lambda block: blocks[block].offset)) if found.order or found.groups else ()
        before = self._accesses.meter.measure()
        self._trial = Trial({block: blocks[block].tier for block in found.tiers}, laid, before)
        self._plan, self._laid, self._measuring, self._outcome = found, False, False, "being applied"
        self._moves.extendleft((blocks[block], tier) for block, tier in found.tiers.items())
        return {
            "blocks": len(found.tiers), "order": len(found.order), "groups": len(found.groups),
            "trial_s": self.settings.trial_s, "before": str(before),
        }  # fmt: skip

    def holds(self, block: Block) -> bool:
        """Whether a plan on trial says where ``block`` belongs, so that the rules do not."""
        return self._trial is not None and block.id in self._trial.tiers

    def _check(self, found: Plan, blocks: Mapping[int, Block]) -> None:
        """PlanError: some block cannot be where the plan wants it."""
        hot = sum(block.size for block in blocks.values() if found.tiers.get(block.id, block.tier) == HOT)
        if hot > self.settings.hot_bytes and HOT in found.tiers.values():
            raise PlanError(f"plan: blocks: {hot} bytes would be hot and {self.settings.hot_bytes} may; name fewer")
        for block, tier in found.tiers.items():
            if tier == FROZEN and blocks[block].size > LARGEST:
                raise PlanError(f"plan: blocks.{block}: it has more than the {LARGEST} bytes that are frozen; leave it")

    def _judge(self, trial: Trial) -> None:
        kept, self._outcome = trial.verdict(self._accesses.meter.measure())
        self._trial = None
        self._tell(f"layout plan {self._outcome}")
        if kept:
            return
        self._plan = Plan()
        blocks = {block.id: block for block in self._pool.blocks()}
        self._moves.extend((blocks[block], tier) for block, tier in trial.tiers.items() if block in blocks)
        if trial.order:
            self._begin(trial.order)

    # ---- what is told

    def statistics(self) -> dict[str, int | float | str]:
        return {"resident_bytes": self.resident, "plan": self._outcome, "compaction": self._compacted}

    def advice(self) -> str:
        rules = self.settings.rules
        stored, pairs = self._accesses.stored(rules.half_life_s), self._accesses.prefetch.predictor.pairs()
        return compaction.advise(stored, pairs, rules, hot_bytes=self.settings.hot_bytes).document()

    def survey(self, statistics: Mapping[str, int | float | str]) -> str:
        rules = self.settings.rules
        blocks = [
            {
                "id": one.block, "size": one.size, "tier": TIERS[one.tier], "count": round(one.heat, 2),
                "seconds": round(one.idle_s),
            }
            for one in self._accesses.stored(rules.half_life_s)
        ]  # fmt: skip
        bounds = {
            "promote_above": rules.promote_above, "demote_below": rules.demote_below, "half_life_s": rules.half_life_s,
            "hot_bytes": self.settings.hot_bytes, "frozen_at_most_bytes": LARGEST,
        }  # fmt: skip
        pairs = [pair for pair in self._accesses.prefetch.predictor.pairs() if pair[2] >= compaction.OFTEN]
        told = {**self._pool.statistics(), **statistics}
        return json.dumps({"blocks": blocks, "pairs": pairs, "rules": bounds, "statistics": told})
