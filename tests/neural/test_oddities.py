"""Whatever becomes of the detector, an anomaly that was told to begin is told to end, and once."""

from __future__ import annotations

from dataclasses import replace

from gamesad.config import NeuralConfig
from gamesad.messages import Message
from gamesad.neural.anomaly.episodes import Episode
from gamesad.neural.host import Host
from gamesad.neural.learner import Learner
from gamesad.neural.oddities import Oddities
from gamesad.types import Snapshot
from tests.support.ticks import tick

FAN = Episode("fan1", "fan", 10.0, None, 5.0, 2.0, "the fan stands still")
CPU = Episode("temp1", "CPU", 20.0, None, 4.0, 2.0, "the CPU is warm")


def said(
    oddities: Oddities, *episodes: Episode, active: tuple[Episode, ...] = (), at_s: float = 99.0
) -> list[tuple[Message, object]]:
    return [(finding.message, finding.fields.get("until_s")) for finding in oddities.news(episodes, active, at_s)]


def test_an_episode_is_told_when_it_begins_and_when_it_ends() -> None:
    oddities = Oddities()
    assert said(oddities, FAN, active=(FAN,)) == [(Message.ANOMALY, None)]
    hotter = replace(FAN, score=9.0)
    assert said(oddities, active=(hotter,)) == []
    assert said(oddities, replace(hotter, ended_s=50.0)) == [(Message.ANOMALY_END, 50.0)]
    assert said(oddities) == []


def test_what_a_reset_detector_has_forgotten_is_over() -> None:
    oddities = Oddities()
    said(oddities, FAN, CPU, active=(FAN, CPU))
    assert said(oddities, active=(CPU,), at_s=60.0) == [(Message.ANOMALY_END, 60.0)]
    assert said(oddities, at_s=70.0) == [(Message.ANOMALY_END, 70.0)]
    assert said(oddities) == []


def test_what_began_before_a_restart_is_not_told_again_and_ends_once() -> None:
    oddities = Oddities()
    assert said(oddities, active=(FAN,)) == []
    assert said(oddities, replace(FAN, ended_s=50.0)) == [(Message.ANOMALY_END, 50.0)]


def test_of_a_learner_that_is_turned_off_or_fails_the_end_of_what_was_odd_is_told() -> None:
    for fails in (False, True):
        host = Host(NeuralConfig(), lambda _state: None, folder=None, machine="m")
        host.learner = Learner(NeuralConfig(), machine="m")
        host.learner._oddities.news((FAN,), (FAN,), 10.0)
        if fails:
            host.learner.sensors = host.learner._grid = None  # type: ignore[assignment]
            assert host.forecast(Snapshot(0, 1.0, {}), {}, {}) is None
        else:
            host.configure(NeuralConfig(enabled=False))
        assert host.learner is None
        assert [finding.message for finding in host.learn(tick({}), {}, 60.0)] == [Message.ANOMALY_END]
        assert list(host.learn(tick({}), {}, 61.0)) == []
