"""A repeated error is spoken of once, and again when it has ended."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gamesad.conditions import Conditions, Ended


def test_a_condition_is_spoken_of_once_however_long_it_lasts() -> None:
    refused = Conditions[str](settle_s=10.0)
    spoken = [refused.update({"boost"}, float(now_s)).begun for now_s in range(100)]
    assert spoken == [["boost"]] + [[]] * 99


def test_its_end_is_spoken_of_once_it_was_away_for_long_enough_with_how_long_it_lasted() -> None:
    refused = Conditions[str](settle_s=10.0)
    refused.update({"boost"}, 0.0)
    refused.update({"boost"}, 5.0)
    assert refused.update((), 14.9).ended == []
    assert refused.update((), 15.0).ended == [Ended("boost", 5.0)]
    assert refused.update((), 16.0).ended == []
    assert "boost" not in refused


def test_a_condition_that_comes_and_goes_is_one() -> None:
    refused = Conditions[str](settle_s=10.0)
    changes = [refused.update({"boost"} if now_s % 3 == 0 else (), float(now_s)) for now_s in range(60)]
    assert [change.begun for change in changes if change.begun] == [["boost"]]
    assert not any(change.ended for change in changes)


def test_without_settling_an_end_is_spoken_of_at_once() -> None:
    refused = Conditions[str](settle_s=0.0)
    refused.update({"boost"}, 1.0)
    assert refused.update((), 2.0).ended == [Ended("boost", 0.0)]


@given(st.lists(st.sets(st.sampled_from("abc")), max_size=60), st.floats(0, 20))
def test_begin_and_end_alternate_for_every_key(presences: list[set[str]], settle_s: float) -> None:
    conditions = Conditions[str](settle_s)
    open_keys: set[str] = set()
    for now_s, present in enumerate(presences):
        begun, ended = conditions.update(present, float(now_s))
        assert not open_keys.intersection(begun)
        open_keys.update(begun)
        assert open_keys.issuperset(end.key for end in ended)
        open_keys.difference_update(end.key for end in ended)
        assert present <= open_keys
