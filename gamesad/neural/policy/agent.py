"""The policy: once a second it looks, learns from what was in force, and proposes; it acts only when asked to.

In shadow and advise mode the rules act, and what they do is what it learns from. In shadow mode, and only within the
dead band, where every choice is as safe as the rules', it chooses at random now and then, with known probabilities: on
those it is judged. In act mode it acts while nothing speaks against it.
"""

from __future__ import annotations

import json
import math
from collections import deque
from enum import StrEnum
from typing import Any

import numpy as np

from gamesad.journal import Fields
from gamesad.messages import Message
from gamesad.neural.findings import Finding
from gamesad.neural.model import Array, Arrays, Unusable
from gamesad.neural.policy.estimate import Interval, Judge, Pending
from gamesad.neural.policy.inputs import INPUTS, MOST_UNKNOWN, Reader, Reading, Scene, Usual
from gamesad.neural.policy.learning import ACTIONS, GAMMA, PERIOD_S, DoubleQ, discount
from gamesad.neural.policy.reward import WEIGHTS, Weights, reward
from gamesad.types import Action, Advice, Decision, Mode, Origin

__all__ = ["Policy", "PolicyMode", "Scene"]

EXPLORED = (Action.NOOP, Action.THROTTLE, Action.BOOST, Action.REDUCE_POWER)
EPSILON = 0.05
LEAST_CHOICES = 720
"""An hour of decisions is seen before it may act."""
CALM_S = 600
"""So long nothing has been strange, or odd, before it acts again."""
_BAND_C = 3.5
_OVER_C = -1.5
"""Conservative is chosen only over the hardware's own limit: the reward would have it to cool, at half the work."""
_LONGEST_TICK_S = 5
_PRICES = {
    Action.BOOST: 0.0,
    Action.NOOP: 0.0,
    Action.REDUCE_POWER: 0.1,
    Action.THROTTLE: 0.1,
    Action.CONSERVATIVE: 1.0,
}
"""The reward counts no work that is lost: what an action must be worth on top of what takes less, gentlest first."""
_NOOP = ACTIONS.index(Action.NOOP)
_PROPOSALS = 64
_LEARNT = ("usual", "learner", "judge", "rng", "choices", "explored")
_DOING = ("_second", "_force", "_earned", "_advice", "_rest_s")
_BY_RULES = (Origin.RULE, Origin.FORECAST, Origin.SAFETY, Origin.USER)


class PolicyMode(StrEnum):
    SHADOW = "shadow"
    """It proposes, the rules act; the only mode with chance in it."""
    ADVISE = "advise"
    """It proposes, which is told as advice; the rules act, nothing is left to chance."""
    ACT = "act"
    """What it proposes is done where the rules leave a choice."""


class Policy:
    """One machine's policy; a Model. Belongs to one thread."""

    def __init__(self, *, seed: int, mode: PolicyMode = PolicyMode.SHADOW) -> None:
        self.mode = mode
        self.rng = np.random.default_rng(seed)
        self.usual = Usual()
        self.learner = DoubleQ(self.rng)
        self.judge = Judge(self.rng)
        self.proposals: deque[dict[str, Any]] = deque(maxlen=_PROPOSALS)
        self.choices = self.explored = 0
        self._reader = Reader()
        self._second: int | None = None
        self._fresh = False
        self._inputs: Array = np.zeros(len(INPUTS))
        self._reading: Reading | None = None
        self._proposed: Action | None = None
        self._since_s = 0.0
        self._reason = ""
        self._advice: Advice | None = None
        self._failsafe = False
        self._acting = False
        self._failed = ""
        self._rest_s = 0
        """So long it waits yet after what was strange or odd."""
        self._state = "learning"
        self._force: tuple[int, int, Array] | None = None
        """The action in force: since which second, which it is, and the inputs then; and what it has earned since."""
        self._earned = 0.0
        self._opened: Pending | None = None
        self._findings: list[Finding] = []

    # In the tick

    def step(self, scene: Scene) -> Advice | None:
        """Once a second, before ``decide``. None leaves everything to the rules."""
        second = math.floor(scene.snapshot.monotonic_s)
        if second == self._second:
            return self._advice
        self._fresh = True
        passed = 1 if self._second is None else second - self._second
        if not 0 < passed <= _LONGEST_TICK_S:  # asleep, or the clock of another start
            self.interrupt()
            passed = 1
        self._second = second
        reading = self._reading = self._reader.read(scene)
        weights = WEIGHTS.get(scene.intent.profile.power_profile, Weights())
        worth = reward(reading, weights, target_fps=scene.target_fps, anomaly=scene.anomaly)
        for missed in range(passed):
            self._earn(second - passed + 1 + missed, worth)
        strange = self.usual.stranger(reading)
        self.usual.learn(reading)
        self._inputs = self.usual.normal(reading)
        self._stand(scene, reading, strange, passed)
        if reading.unknown > MOST_UNKNOWN:
            self._force = self._opened = None
            self._advice = None
            return None
        if self._force is None or second - self._force[0] >= PERIOD_S:
            self._choose(scene, reading, second)
        elif self._advice is not None and self._advice.action is not Action.NOOP:
            self._advice = Advice(Action.NOOP, f"{self._advice.action} is given time", self._advice.probability)
        if not self._acting and self.mode is not PolicyMode.SHADOW:
            self._advice = None
        return self._advice

    def note(self, decision: Decision, mode: Mode = Mode.ACTIVE, *, train: bool = True) -> list[Finding]:
        """What came into force in this tick, whoever wanted it. ``train`` False: there is no time to learn now."""
        self._failsafe = mode is Mode.FAILSAFE or decision.source is Origin.SAFETY
        if mode is Mode.OBSERVE:
            self._force = self._opened = None
        elif self._second is not None and self._reading is not None and self._reading.unknown <= MOST_UNKNOWN:
            self._enforced(decision, self._second)
        if self._fresh and train and self._second is not None:
            self.learner.learn(self.rng)
            if self._second % PERIOD_S == 0:
                self.judge.learn(self.rng)
        self._fresh = False
        findings, self._findings = self._findings, []
        return findings

    def ask(self, mode: PolicyMode) -> None:
        """Somebody wants it so, from now on: what it was demoted for before is forgiven."""
        self.mode, self._failed, self._acting, self._advice, self._state = mode, "", False, None, "learning"
        self.judge.modelled.sums.clear()
        self.judge.broken()

    def interrupt(self) -> None:
        """Seconds are missing: what was in force cannot be credited with what comes."""
        self._force = self._opened = self._advice = None
        self.judge.broken()

    # Choosing

    def pick(self, values: Array) -> Action:
        """The action of most value after its price."""
        return max(_PRICES, key=lambda action: values[ACTIONS.index(action)] - _PRICES[action])

    def _choose(self, scene: Scene, reading: Reading, second: int) -> None:
        values = self.learner.values(self._inputs)
        if not reading.headroom_c < _OVER_C:
            values[ACTIONS.index(Action.CONSERVATIVE)] = -math.inf
        wanted = self.pick(values)
        more = float(values[ACTIONS.index(wanted)] - values[_NOOP]) * (1.0 - GAMMA)
        self.choices += 1
        self._reason = f"worth {more:+.3f} a second against doing nothing"
        if wanted is Action.NOOP:
            best = float(values.max() - values[_NOOP]) * (1.0 - GAMMA)
            self._reason = f"nothing is worth enough more than holding, {best:+.3f} a second at most"
        elif wanted is Action.BOOST and more <= 0.0:
            self._reason = f"giving back is about as good as holding, {more:+.3f} a second"
        if wanted is not self._proposed:
            self._proposed, self._since_s = wanted, scene.wall_s
        done, chance, noop_chance, random = _NOOP, 1.0, 1.0, False
        self._advice = None
        if self._acting:
            done = ACTIONS.index(wanted)
            self._advice = Advice(wanted, self._reason)
        elif self._may_explore(scene, reading):
            random = wanted in EXPLORED  # what is never tried cannot be judged without a model
            part = EPSILON / len(EXPLORED)
            noop_chance = chance = 1.0 - EPSILON + part
            if self.rng.random() < EPSILON:
                action = EXPLORED[int(self.rng.integers(len(EXPLORED)))]
                if action is not Action.NOOP:
                    self.explored += 1
                    done, chance = ACTIONS.index(action), part
                    text = f"tried at random (1 in {1 / part:.0f}) where it is as safe as holding"
                    self._advice = Advice(action, text, chance)
        inputs = tuple(self._inputs.tolist())
        self._opened = Pending(second, done, ACTIONS.index(wanted), inputs, chance, noop_chance, random, self._acting)
        self._propose(scene, wanted)

    def _propose(self, scene: Scene, wanted: Action) -> None:
        estimate = self.estimate()
        self.proposals.append(
            {
                "Time": scene.wall_s,
                "Action": str(wanted),
                "InForce": str(self._advice.action if self._advice else Action.NOOP),
                "Reason": self._reason,
                "Worth": self.judge.expects(self._inputs, ACTIONS.index(wanted)),
                **({"Would": scene.would(Advice(wanted, self._reason))} if scene.would else {}),
                **({"Low": estimate.low, "High": estimate.high} if estimate else {}),
            }
        )

    def _may_explore(self, scene: Scene, reading: Reading) -> bool:
        """Shadow mode, within the dead band, everything seen and nothing odd."""
        if self.mode is not PolicyMode.SHADOW or scene.anomaly or self._failsafe or scene.intent.paused:
            return False
        readings = scene.snapshot.readings
        blind = any(limit.critical and name not in readings for name, limit in scene.limits.items())
        return not blind and 0.0 < reading.headroom_c < _BAND_C

    # What was in force

    def _earn(self, second: int, worth: float) -> None:
        if self._force is not None:
            self._earned += worth * discount(second - 1 - self._force[0]) / PERIOD_S
        self.judge.passed(second, worth)

    def _enforced(self, decision: Decision, second: int) -> None:
        """Closes the transition of what was in force when something else is, and opens the next."""
        by_rules = decision.action is not Action.NOOP and decision.source in _BY_RULES
        if by_rules:
            action = ACTIONS.index(decision.action)
            if self._opened is not None and decision.action is not Action.BOOST:
                self._opened = None  # a rule cut: what was chosen was not done
            self._advice = self._advice if self._acting else None
        elif self._opened is not None:
            action = self._opened.done
        else:
            return
        if self._force is not None:
            began, before, inputs = self._force
            seconds = second - began
            if seconds == 0:  # the same second: what came later is in force
                self._force = (second, action, inputs)
            else:
                self.learner.remember(inputs, before, self._earned, discount(seconds), self._inputs)
                self._force, self._earned = (second, action, self._inputs), 0.0
        else:
            self._force, self._earned = (second, action, self._inputs), 0.0
        opened, self._opened = self._opened, None
        if opened is not None:
            self.judge.decided(opened)
        elif by_rules and not self._acting:
            inputs_now = tuple(self._inputs.tolist())
            self.judge.decided(Pending(second, action, action, inputs_now))

    # Whether it may act

    def estimate(self) -> Interval | None:
        """Its own decisions where it acts, else what was tried at random; None while too little is known."""
        return (self.judge.modelled.interval() if self.mode is PolicyMode.ACT else None) or self.judge.robust.interval()

    def _stand(self, scene: Scene, reading: Reading, strange: str, passed: int) -> None:
        """Whether it acts from now on; tells once when it steps back."""
        estimate = self.estimate()
        if estimate is not None and estimate.high < 0.0 and self.mode is PolicyMode.ACT and not self._failed:
            self._failed = (
                f"it is worth {-estimate.mean:.3f} a second less than the rules "
                f"(90 %: {-estimate.high:.3f} to {-estimate.low:.3f}); it acts again when asked"
            )
        why, lasting = "", True
        if self._failed:
            why = self._failed
        elif scene.anomaly:
            why, lasting = "an anomaly is on; it acts again when that has been over for 10 minutes", False
        elif strange:
            why, lasting = f"it does not know this: {strange}; it acts again after 10 minutes without", False
        self._rest_s = CALM_S if why and not lasting else max(0, self._rest_s - passed)
        ready = self.choices >= LEAST_CHOICES
        waits = self._rest_s > 0 or reading.unknown > MOST_UNKNOWN or not ready or scene.intent.paused
        acted, self._acting = self._acting, self.mode is PolicyMode.ACT and not why and not waits
        if acted is not self._acting:
            self.judge.broken()  # what was decided is not followed by what was to follow
        if acted and why:
            text = f"the policy steps back: {why}"
            self._findings.append(Finding(Message.POLICY_DEMOTED, text, Fields(mode=str(self.mode), cause=why)))
        self._state = self._told(why, reading, ready=ready)

    def _told(self, why: str, reading: Reading, *, ready: bool) -> str:
        if reading.unknown > MOST_UNKNOWN:
            return f"watches: {reading.unknown} of {len(INPUTS)} inputs are unknown"
        if self._acting:
            return "acts"
        if self.mode is PolicyMode.SHADOW:
            return "proposes"
        if not ready:
            return f"learns first: {self.choices} of {LEAST_CHOICES} decisions seen"
        if self.mode is PolicyMode.ADVISE and not self._rest_s:
            return "advises"
        return why or "steps back until nothing has been strange or odd for 10 minutes"

    # For people

    @property
    def advised(self) -> str:
        """In advise mode what is told as advice, or why there is none; else nothing."""
        if self.mode is not PolicyMode.ADVISE or self._reading is None:
            return ""
        return f"{self._proposed}: {self._reason}" if self._state == "advises" else f"nothing ({self._state})"

    def status(self) -> dict[str, Any]:
        """For NeuralStatus; what is unknown is absent."""
        told: dict[str, Any] = {
            "Mode": str(self.mode),
            "State": self._state,
            "Steps": self.learner.steps,
            "Explored": self.explored,
            "Proposals": list(self.proposals),
        }
        if self._proposed is not None:
            told |= {"Proposed": str(self._proposed), "ProposedSince": self._since_s, "Reason": self._reason}
        if not math.isnan(self.judge.rules_value):
            told["RulesValue"] = self.judge.rules_value
        if self._reading is not None:
            values = zip(INPUTS, self._reading.values.tolist(), strict=True)
            told["Inputs"] = {name: value for name, value in values if math.isfinite(value)}
        estimate, own = self.estimate(), self.mode is PolicyMode.ACT and self.judge.modelled.interval() is not None
        if estimate is not None:
            told |= {"Estimate": estimate.mean, "EstimateLow": estimate.low, "EstimateHigh": estimate.high}
            told["Method"] = "model-based, over its own decisions" if own else "doubly robust, within the dead band"
        return told

    # Life

    def sound(self) -> bool:
        return self.learner.sound() and self.judge.sound()

    def state(self) -> dict[str, np.ndarray]:
        chance = np.frombuffer(json.dumps(self.rng.bit_generator.state).encode(), np.uint8).copy()
        second = math.nan if self._second is None else self._second
        began, action, inputs = self._force or (math.nan, _NOOP, np.zeros(len(INPUTS)))
        advised = -1 if self._advice is None else ACTIONS.index(self._advice.action)
        counts = [self.choices, self.explored, second, self._rest_s, advised, began, action, self._earned]
        return {
            **self.usual.state(),
            **self.learner.state(),
            **self.judge.state(),
            "chance": chance,
            "counts": np.array([*counts, *inputs], float),
        }

    def copy(self) -> dict[str, np.ndarray]:
        return self.state()

    def load(self, state: Arrays) -> None:
        """Unusable: nothing has changed."""
        fresh = Policy(seed=0, mode=self.mode)
        try:
            for part in (fresh.usual, fresh.learner, fresh.judge):
                part.load(state)
            fresh.rng.bit_generator.state = json.loads(bytes(state["chance"].tolist()))
            fresh._resume(np.asarray(state["counts"], float))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Unusable(f"the policy's state lacks something usable: {error}") from None
        self.__dict__.update({name: fresh.__dict__[name] for name in (*_LEARNT, *_DOING)})

    def _resume(self, counts: Array) -> None:
        choices, explored, second, rest_s, advised, began, action, earned = counts[:8].tolist()
        if counts.shape != (8 + len(INPUTS),) or not np.isfinite(counts[[0, 1, 3, 4, *range(6, len(counts))]]).all():
            raise Unusable("what the policy was doing is not finite or of another shape")
        self.choices, self.explored, self._rest_s, self._earned = int(choices), int(explored), int(rest_s), earned
        self._second = None if math.isnan(second) else int(second)
        self._force = None if math.isnan(began) else (int(began), range(len(ACTIONS))[int(action)], counts[8:].copy())
        self._advice = None if advised < 0 else Advice(ACTIONS[int(advised)], "taken up again")
