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
    posture = Posture()
    posture.update({"cpufreq.policy0.scaling_governor": CONTESTED_TIMES - 1}, now_s=0.0)
    assert posture.reason == ""
    posture.update({"cpufreq.policy0.scaling_governor": CONTESTED_TIMES}, now_s=1.0)
    assert "scaling_governor" in posture.reason
    posture.update({}, now_s=CONTESTED_PAUSE_S)
    assert posture.reason
    posture.update({}, now_s=CONTESTED_PAUSE_S + 1.0)
    assert posture.reason == ""
