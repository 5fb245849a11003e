"""When gamesad acts and when it only observes, and what it says of why."""

from __future__ import annotations

from gamesad.posture import CONTESTED_PAUSE_S, CONTESTED_TIMES, Posture


def test_gamesad_acts_while_nobody_else_does() -> None:
    assert Posture().reason == ""


def test_a_rival_on_the_bus_is_named_until_it_leaves() -> None:
    posture = Posture()
    posture.rival("tuned", present=True)
    posture.rival("power-profiles-daemon", present=True)
    assert posture.reason.startswith("power-profiles-daemon, tuned regulates the same controls")
    posture.rival("tuned", present=False)
    posture.rival("power-profiles-daemon", present=False)
    assert posture.reason == ""


def test_being_asked_to_observe_outlasts_every_rival() -> None:
    posture = Posture("asked to observe")
    posture.rival("tuned", present=True)
    posture.rival("tuned", present=False)
    assert posture.reason == "asked to observe"


def test_a_tunable_rewritten_again_and_again_means_observing_for_a_while() -> None:
    governor, posture = "cpufreq.policy0.scaling_governor", Posture()
    posture.update({governor: CONTESTED_TIMES - 1}, 0.0, nobody)
    assert posture.reason == ""
    posture.update({governor: CONTESTED_TIMES}, 1.0, nobody)
    assert posture.reason == f"something else keeps rewriting {governor}; observing for 10 minutes"
    posture.update({}, CONTESTED_PAUSE_S, nobody)
    assert posture.reason
    posture.update({}, CONTESTED_PAUSE_S + 1.0, nobody)
    assert posture.reason == ""


def test_a_program_known_for_it_is_named() -> None:
    posture = Posture()
    posture.update({"cpufreq.boost": CONTESTED_TIMES}, 0.0, lambda: ["auto-cpufreq"])
    assert posture.reason.startswith("something else (auto-cpufreq is running) keeps rewriting cpufreq.boost")


def nobody() -> list[str]:
    return []
