"""Wishes kept on disk: what was saved is loaded, whatever else the file holds is set aside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamesad import state
from gamesad.durable import replace
from gamesad.errors import Failed
from gamesad.state import Wishes

WISHES = Wishes(
    "gaming", {"hwmon.cpu.temp1": 80.0}, {"powercap.package.power": 15.0}, {"a.governor": "powersave", "b": 7}
)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = str(tmp_path / "state.json")
    replace(path, state.dump(WISHES), sync=True)
    assert state.load(path) == WISHES


def test_no_file_means_no_wishes(tmp_path: Path) -> None:
    assert state.load(str(tmp_path / "state.json")) == Wishes()


def test_a_file_cut_anywhere_is_set_aside_and_named(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    replace(str(path), state.dump(WISHES), sync=True)
    whole = path.read_bytes()
    for length in range(len(whole.rstrip(b"\n}"))):
        path.write_bytes(whole[:length])
        with pytest.raises(Failed, match="starting without saved wishes"):
            state.load(str(path))
        assert not path.exists()
        assert (tmp_path / "state.json.damaged").read_bytes() == whole[:length]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        '{"version": 2}',
        '{"version": 1, "selected": 5}',
        '{"version": 1, "temperature_limits_c": {"x": "hot"}}',
        '{"version": 1, "temperature_limits_c": {"x": NaN}}',
        '{"version": 1, "power_limits_w": [1]}',
        '{"version": 1, "overrides": {"x": [1]}}',
        '{"version": 1, "overrides": 3}',
        "[" * 100_000,
        " " * ((1 << 20) + 1),
    ],
)
def test_a_file_of_another_version_or_shape_is_set_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(Failed, match="damaged"):
        state.load(str(path))
    assert (tmp_path / "state.json.damaged").read_text() == text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(
            lambda value: json.dumps({"version": 1, "selected": None, "overrides": value}).encode()
        ),
    )
)
def test_no_content_crashes_the_load(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    try:
        wishes = state.load(str(path))
    except Failed:
        return
    assert isinstance(wishes, Wishes)


def test_a_save_that_fails_leaves_the_file_before_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    replace(str(path), state.dump(WISHES), sync=True)
    before = path.read_bytes()
    (tmp_path / "state.json.new").mkdir()
    with pytest.raises(OSError):
        replace(str(path), state.dump(Wishes("balanced")), sync=True)
    assert path.read_bytes() == before
