"""Recordings as a picture: what was measured, expected and bounded, five steps ahead."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gamesad.errors import Failed
from gamesad.evaluation.baselines import STEPS
from gamesad.evaluation.score import Group, Score

_MOST = 24
"""Sensors in one picture; those that move most."""
_WIDTH, _HEIGHT, _DPI = 14.0, 2.6, 110
"""Inches, of each sensor, and dots to one of them."""


def draw(scores: Sequence[Score], path: str) -> None:
    """Raises Failed when the picture cannot be written. Sensors that never moved are left out, and named."""
    every = [(score, place) for score in scores for place in range(len(score.sensors))]
    moved = [one for one in every if one[0].sensors[one[1]].group is not Group.STILL]
    moved.sort(key=lambda one: -float(np.nan_to_num(one[0].sensors[one[1]].errors.persistence.mean())))
    shown = moved[:_MOST] or every[:1]
    with mpl.rc_context({"font.size": 8}):
        figure = Figure(figsize=(_WIDTH, _HEIGHT * len(shown) + 0.6), dpi=_DPI, layout="constrained")
        axes = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
        for axis, (score, place) in zip(axes, shown, strict=True):
            _sensor(axis, score, place)
        axes[0].legend(loc="upper right", ncols=4, framealpha=0.8)
        if left := len(every) - len(shown):
            figure.supxlabel(f"{left} sensors that moved less, or never, are not drawn")
        try:
            figure.savefig(path, format="png")
        except OSError as error:
            raise Failed(f"--plot: {path} cannot be written: {error.strerror}; name another file") from error


def _sensor(axis: Axes, score: Score, place: int) -> None:
    """Expectations stand at the moment they are of, so that what is right lies on what was measured."""
    course, sensor = score.course, score.sensors[place]
    at_s = np.arange(len(course.seen)) * score.series.period_s
    then_s = at_s + STEPS * score.series.period_s
    seen = course.seen[:, place]
    axis.fill_between(
        then_s,
        seen,
        course.upper[:, place],
        color="tab:orange",
        alpha=0.18,
        lw=0,
        label=f"up to the 90 % bound of {STEPS} steps",
    )
    axis.plot(
        then_s,
        course.damped[:, place, -1],
        color="tab:green",
        lw=0.6,
        alpha=0.6,
        label=f"damped Holt, {STEPS} steps ago",
    )
    axis.plot(then_s, course.expected[:, place, -1], color="tab:blue", lw=0.9, label=f"expected {STEPS} steps ago")
    axis.plot(at_s, seen, color="black", lw=0.9, label="measured")
    low, high = np.nanmin(seen), np.nanmax(seen)
    margin = max(1.0, 0.08 * (high - low))
    axis.set_ylim(low - margin, high + margin)
    axis.margins(x=0.0)
    axis.set_ylabel("°C")
    skill = sensor.errors.mean_skill()
    told = "" if skill is None else f", skill {100 * skill:.1f} %"
    axis.set_title(f"{sensor.label} ({score.series.path.rpartition('/')[2]}{told})", loc="left")
    for when_s, _finding in score.anomalies:
        axis.axvline(when_s, color="tab:red", lw=0.7, alpha=0.7)
