"""A decision in one sentence, without the action that stands before it."""

from __future__ import annotations

from gamesactl import describe


def test_the_sentence_of_now_stands_without_its_action_whatever_the_decision_in_force() -> None:
    status = {"LastDecision": {"Action": "throttle"}, "Explanation": "noop: CPU package 60.0 °C, 10 °C under its limit"}
    assert describe.now(status) == "CPU package 60.0 °C, 10 °C under its limit"


def test_a_sentence_that_begins_otherwise_is_left_whole() -> None:
    assert describe.reason({"Reason": "somebody: something"}) == "somebody: something"
