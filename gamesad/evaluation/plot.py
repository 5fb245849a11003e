"""Recordings as a picture: for each sensor what was measured, expected and bounded, its liveliest minutes, and which
members of the mixture the expectation came from."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gamesad.errors import Failed
from gamesad.evaluation.baselines import STEPS
from gamesad.evaluation.feed import WEIGHED
from gamesad.evaluation.score import Group, Score

_MOST = 12
"""Sensors in one picture: those that move most."""
_DETAIL = 120
"""Steps of the liveliest part."""
_WIDTH, _HEIGHT, _DPI = 18.0, 2.4, 100
"""Inches, of each sensor, and dots to one of them."""
_COLUMNS = (3, 2, 1.4)


def draw(scores: Sequence[Score], path: str) -> None:
    """Raises Failed when the picture cannot be written."""
    every = [(score, place) for score in scores for place in range(len(score.sensors))]
    moved = [one for one in every if one[0].sensors[one[1]].group is not Group.STILL]
    moved.sort(key=lambda one: -float(np.nan_to_num(one[0].sensors[one[1]].errors.persistence.mean())))
    shown = moved[:_MOST] or every[:1]
    with mpl.rc_context({"font.size": 8, "axes.titlesize": 8}):
        figure = Figure(figsize=(_WIDTH, _HEIGHT * len(shown) + 0.8), dpi=_DPI, layout="constrained")
        grid = figure.subplots(len(shown), 3, squeeze=False, width_ratios=_COLUMNS)
        for (whole, detail, members), (score, place) in zip(grid, shown, strict=True):
            _course(whole, score, place, 0, len(score.fed.course.seen))
            begin = _liveliest(score.fed.course.seen[:, place])
            _course(detail, score, place, begin, begin + _DETAIL)
            _members(members, score, place)
        grid[0][0].legend(loc="upper left", ncols=4, framealpha=0.8)
        if left := len(every) - len(shown):
            figure.supxlabel(f"seconds; {left} sensors that moved less, or never, are not drawn")
        else:
            figure.supxlabel("seconds")
        try:
            figure.savefig(path, format="png")
        except OSError as error:
            raise Failed(f"--plot: {path} cannot be written: {error.strerror}; name another file") from error


def _course(axis: Axes, score: Score, place: int, begin: int, end: int) -> None:
    """Expectations stand at the moment that they are of, so that what is right lies on what was measured."""
    course, sensor, step_s = score.fed.course, score.sensors[place], score.series.period_s
    part = slice(begin, end)
    seen = course.seen[part, place]
    at_s = np.arange(begin, begin + len(seen)) * step_s
    then_s = at_s + STEPS * step_s
    known = np.isfinite(seen)
    axis.fill_between(
        then_s[known], seen[known], course.upper[part, place][known],
        color="tab:orange", alpha=0.25, lw=0, label=f"up to the 90 % bound of {STEPS} steps",
    )  # fmt: skip
    axis.plot(then_s, course.damped[part, place, -1], color="tab:green", lw=0.6, alpha=0.6, label="damped Holt")
    axis.plot(at_s[known], seen[known], color="black", lw=0.9, label="measured")
    axis.plot(then_s, course.expected[part, place, -1], color="tab:blue", lw=0.9, label=f"expected {STEPS} steps ago")
    if known.any():
        low, high = float(seen[known].min()), float(seen[known].max())
        margin = max(1.0, 0.08 * (high - low))
        axis.set_ylim(low - margin, high + margin)
    axis.set_xlim(at_s[0], at_s[-1])
    axis.set_ylabel("°C")
    for when_s, _finding in score.fed.anomalies:
        if at_s[0] <= when_s <= at_s[-1]:
            axis.axvline(when_s, color="tab:red", lw=0.7, alpha=0.7)
    if begin == 0 and end == len(course.seen):
        skill = sensor.errors.mean_skill()
        told = "" if skill is None else f", skill {100 * skill:.1f} %"
        axis.set_title(f"{sensor.label} ({score.series.path.rpartition('/')[2]}{told})", loc="left")


def _members(axis: Axes, score: Score, place: int) -> None:
    weights = score.fed.weights[:, place]
    if len(weights):
        at_s = np.arange(len(weights)) * WEIGHED * score.series.period_s
        axis.stackplot(at_s, weights.T, labels=score.fed.members, alpha=0.8)
        axis.legend(loc="lower left", ncols=2, fontsize=6, framealpha=0.7)
        axis.set_xlim(at_s[0], max(at_s[-1], 1.0))
    axis.set_ylim(0, 1)
    axis.set_ylabel("weight")


def _liveliest(seen: np.ndarray) -> int:
    """Where the _DETAIL steps with the most movement begin."""
    moved = np.nan_to_num(np.abs(np.diff(seen)))
    if len(moved) <= _DETAIL:
        return 0
    sums = np.convolve(moved, np.ones(_DETAIL), "valid")
    return int(np.argmax(sums))
