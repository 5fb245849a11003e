"""Hypothesis strategies: sequences of snapshots with everything that goes wrong, and wishes, lawful and hostile."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from gamesad.types import Absence, Action, Controls, Decision, Heat, Limit, Origin, Rejection, Snapshot, Value
from tests.support.policy_machines import CPU, DISK, limit

quick = settings(max_examples=60, deadline=None)
"""Enough for each property's faults to be found (each was broken once); no deadline on a busy machine."""

SENSORS = (CPU, "core", "gpu", DISK)


def limits_of() -> Mapping[str, Limit]:
    """A critical package, a core that is not, a GPU and a disk."""
    return {
        CPU: limit(),
        "core": limit("core", 90.0, critical=False),
        "gpu": limit("gpu", 85.0, heat=Heat.GPU, critical=False),
        DISK: limit(DISK, 70.0, heat=Heat.OTHER, critical=False),
    }


_TEMPERATURES = st.one_of(
    st.floats(20.0, 115.0),
    st.sampled_from([95.0, 96.4, 96.5, 98.0, 99.4, 99.5, 0.0, -273.1, 65261.8, 1e308, -1e308]),
    st.sampled_from([math.nan, math.inf, -math.inf]),
)
_PASSING_S = st.sampled_from([0.0, 0.2, 0.5, 0.5, 1.0, 2.0, 5.5, 3600.0])


@st.composite
def steps(draw: st.DrawFn, sensors: tuple[str, ...] = SENSORS) -> list[Snapshot]:
    """2 to 12 snapshots in a row: read, rejected, absent, asleep, old or not mentioned at all."""
    at_s, made = draw(st.sampled_from([0.0, 100.0, 1e6])), []
    for number in range(draw(st.integers(2, 12))):
        at_s += draw(_PASSING_S)
        parts: dict[str, dict[str, Any]] = {"readings": {}, "rejected": {}, "absent": {}, "ages_s": {}}
        for name in sensors:
            match draw(st.sampled_from(["read", "read", "read", "old", "rejected", "absent", "asleep", "gone"])):
                case "read":
                    parts["readings"][name] = draw(_TEMPERATURES)
                case "old":
                    parts["readings"][name] = draw(_TEMPERATURES)
                    parts["ages_s"][name] = draw(st.floats(0.0, 60.0))
                case "rejected":
                    parts["rejected"][name] = Rejection(draw(_TEMPERATURES), "impossible")
                case "absent":
                    parts["absent"][name] = Absence("EIO", at_s)
                case "asleep":
                    parts["absent"][name] = Absence("asleep", at_s)
        made.append(Snapshot(number, at_s, **parts))
    return made


def decisions(controls: Controls) -> st.SearchStrategy[Decision]:
    """Wishes: what a tunable allows, values of the wrong kind or size, names that are not there."""
    hostile = st.one_of(
        st.integers(),
        st.sampled_from([0, -1, 1, 2**63, True, False, "", "performance", "\0", "é" * 50]),
        st.text(max_size=5),
        st.floats(),
        st.none(),
    )

    def values(name: str) -> st.SearchStrategy[Value]:
        tunable = controls.tunables[name]
        lawful: st.SearchStrategy[Value]
        lawful = st.sampled_from(tunable.choices) if tunable.choices else st.integers(tunable.minimum, tunable.maximum)
        return st.one_of(lawful, lawful, hostile)

    wishes = st.fixed_dictionaries(
        {}, optional={**{name: values(name) for name in controls.tunables}, "no.such": hostile, "": hostile}
    )
    return st.builds(Decision, st.sampled_from(Action), wishes, st.sampled_from(Origin), st.just("wanted: for a test"))
