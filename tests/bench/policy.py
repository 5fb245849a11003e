"""The learnt policy against the rules: trained on simulated machines, judged on scenarios and seeds it never saw.

A machine in use teaches in shadow mode, at the rules' pace; a simulated one cannot be harmed, so that ``Trainee`` acts
on what it believes from the first minute, with some chance everywhere. What is judged is the product's own Policy in
act mode with what was learnt, demotion and all, and beside the return what the return does not count: the work done
and the peak temperature. ``python -m tests.bench.policy`` prints the whole learning curve.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from gamesad.neural.policy.agent import Policy, PolicyMode
from gamesad.neural.policy.inputs import MOST_UNKNOWN, Reading, Scene
from gamesad.neural.policy.learning import ACTIONS
from gamesad.types import Action, Intent
from tests.bench.harness import Effort, Row
from tests.support.policy_bed import Run, opened
from tests.support.policy_machines import intent

KINDS = ("laptop", "desktop", "small-form-factor", "fanless", "server")
TRAINED = ("bursty-game", "compile", "steady-game", "idle")
HELD_OUT = ("clogged-fan", "heat-wave")
HELD_OUT_SEEDS = (1000,)
EPISODE_S = 900.0
_T90 = {1: 6.31, 2: 2.92, 3: 2.35, 4: 2.13, 9: 1.83, 19: 1.73}


class Trainee(Policy):
    """Acts at once and everywhere, at random every tenth time. For simulated machines only."""

    chance = 0.1

    def pick(self, values: np.ndarray) -> Action:
        if self.rng.random() < self.chance:
            return ACTIONS[int(self.rng.integers(len(ACTIONS)))]
        return super().pick(values)

    def _stand(self, scene: Scene, reading: Reading, strange: str, passed: int) -> None:
        super()._stand(scene, reading, strange, passed)
        self._acting = self.mode is PolicyMode.ACT and reading.unknown <= MOST_UNKNOWN


@dataclass
class School:
    """Trains one policy, hour after hour, on machines and scenarios drawn by ``seed``."""

    policy: Policy
    wish: Intent
    seed: int = 0
    kinds: Sequence[str] = KINDS
    scenarios: Sequence[str] = TRAINED
    hours: float = 0.0
    _now_s: float = 0.0
    _rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed + 100)

    def teach(self, until_hours: float) -> None:
        while self.hours < until_hours:
            kind, scenario = (some[int(self._rng.integers(len(some)))] for some in (self.kinds, self.scenarios))
            seed = int(self._rng.integers(1000))
            with opened(f"{kind}/{scenario}", seed=seed, wish=self.wish, start_s=self._now_s) as bed:
                bed.run(EPISODE_S, self.policy)
                self._now_s = bed.now_s + 60.0
            self.hours += EPISODE_S / 3600.0


@dataclass(frozen=True)
class Match:
    """One held-out machine, run twice: by the rules alone and with the policy in act mode."""

    name: str
    rules: Run
    policy: Run

    @property
    def gain(self) -> float:
        return self.policy.worth - self.rules.worth

    @property
    def work(self) -> float:
        return self.policy.work / self.rules.work

    @property
    def hotter_c(self) -> float:
        """How far its peak is over the rules'."""
        return float(np.nanmax(self.policy.over_c) - np.nanmax(self.rules.over_c))


class Examiner:
    """Keeps what the rules come to on each held-out machine, which no training changes."""

    def __init__(self, wish: Intent, seeds: Sequence[int] = HELD_OUT_SEEDS, seconds: float = 600.0) -> None:
        self._wish, self._seconds = wish, seconds
        self._held_out = [(f"{kind}/{scenario}", seed) for kind in KINDS for scenario in HELD_OUT for seed in seeds]
        self._rules: dict[tuple[str, int], Run] = {}

    def examine(self, learnt: Policy) -> list[Match]:
        matches = []
        for name, seed in self._held_out:
            if (name, seed) not in self._rules:
                self._rules[name, seed] = self._run(name, seed, None)
            pupil = Policy(seed=0, mode=PolicyMode.ACT)
            pupil.load(learnt.state())
            matches.append(Match(f"{name}/{seed}", self._rules[name, seed], self._run(name, seed, pupil)))
        return matches

    def _run(self, name: str, seed: int, policy: Policy | None) -> Run:
        with opened(name, seed=seed, wish=self._wish) as bed:
            return bed.run(self._seconds, policy)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and half of its 90 % interval."""
    count = len(values)
    return float(np.mean(values)), _T90.get(count - 1, 1.7) * float(np.std(values, ddof=1)) / math.sqrt(count)


def told(hours: float, matches: Sequence[Match]) -> str:
    gain, half = spread([match.gain for match in matches])
    rules, own = (float(np.mean([getattr(m, who).worth for m in matches])) for who in ("rules", "policy"))
    work, hotter_c = [match.work for match in matches], max(match.hotter_c for match in matches)
    return (
        f"{hours:5.1f} h  rules {rules:+.3f}  policy {own:+.3f}  gain {gain:+.3f} ± {half:.3f}  "
        f"work {np.mean(work):6.1%} (least {min(work):.1%})  peak {hotter_c:+.1f} °C at most"
    )


def policy(effort: Effort) -> Iterator[Row]:
    """Reward a second that it is behind the rules (less than 0: ahead), and what that costs."""
    hours, must = effort.of(8, 1), None if effort.quick else 0.0  # an hour teaches little
    wish = intent()
    school = School(Trainee(seed=0, mode=PolicyMode.ACT), wish)
    school.teach(hours)
    matches = Examiner(wish, HELD_OUT_SEEDS).examine(school.policy)
    gain, half = spread([match.gain for match in matches])
    note = f"90 %: {gain - half:+.3f} to {gain + half:+.3f} ahead, {len(matches)} held-out runs, {hours} h learnt"
    yield Row("policy in act mode: reward a second behind the rules", -gain, "", must=must, note=note)
    work = [match.work for match in matches]
    yield Row(
        "policy in act mode: work lost", 1.0 - float(np.mean(work)), "", must=0.05, note=f"most {1 - min(work):.3f}"
    )


def main(arguments: Sequence[str] | None = None, say: Callable[[str], object] = print) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.policy", description="The learning curve.")
    parser.add_argument("--seeds", type=int, default=3, help="how many policies are taught")
    parser.add_argument("--hours", type=float, nargs="+", default=[1, 2, 4, 8], help="when they are examined")
    parser.add_argument("--profile", default="balanced")
    parser.add_argument("--shadow", action="store_true", help="taught as on a machine in use: the rules act")
    options = parser.parse_args(arguments)
    wish = intent(options.profile, chosen=options.profile != "balanced")
    examiner = Examiner(wish)
    for seed in range(options.seeds):
        taught = Policy(seed=seed) if options.shadow else Trainee(seed=seed, mode=PolicyMode.ACT)
        school = School(taught, wish, seed)
        for hours in options.hours:
            school.teach(hours)
            matches = examiner.examine(school.policy)
            say(f"seed {seed}  {told(hours, matches)}")
            sys.stdout.flush()
        for match in matches:
            frames = [
                float(np.nanmean(run.frames)) for run in (match.rules, match.policy) if np.isfinite(run.frames).any()
            ]
            shown = " ".join(f"{rate:.1f}" for rate in frames) or "no game"
            say(f"   {match.name:34} {match.rules.worth:+.3f} {match.policy.worth:+.3f} work {match.work:.1%}  {shown}")
        say(str({name: value for name, value in school.policy.status().items() if name not in ("Proposals", "Inputs")}))


if __name__ == "__main__":
    main()
