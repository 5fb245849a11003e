"""Whatever becomes of the detector, an anomaly that was told to begin is told to end, and once."""

from __future__ import annotations

from dataclasses import replace

from gamesad.messages import Message
from gamesad.neural.anomaly.episodes import Episode
from gamesad.neural.oddities import Oddities

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
