"""What was learnt, in the blocks that outlive a killed gamesad: whole, of one moment, and newer than the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from gamesad.config import NeuralConfig
from gamesad.crystal.store import LEARNT
from gamesad.neural import checkpoint
from gamesad.neural.blocks import OWNERS, join, split
from gamesad.neural.checkpoint import Header
from gamesad.neural.host import Host
from gamesad.neural.learner import Learner
from gamesad.neural.model import Unusable
from gamesad.types import Quantity, Sensor, Snapshot
from tests.support.client import eventually

HEADER = Header("a machine", 7, 123.5, saved_s=200.0)
MODELS = {
    "forecast": {"ridge/weights": np.arange(12.0).reshape(3, 4), "lessons/store": np.ones((2, 3), np.float32)},
    "policy": {"online": np.zeros(4), "memory": np.array([[np.nan, 1.0]]), "usual": np.zeros((0, 3))},
    "anomaly": {"charts.now": np.array(5), "declared": np.array(["a", "bé"])},
}
SENSORS = {"a": Sensor("a", Quantity.TEMPERATURE, "A")}


def learnt(
    seconds: int, *, folder: Path | None = None, at_s: float = 1000.0, kept: tuple[Mapping[str, bytes], ...] = ()
) -> Learner:
    """A learner after so many seconds; what it saves, it saves at ``at_s``."""
    made = Learner(
        NeuralConfig(), folder=str(folder) if folder else None, machine="a machine", wall=lambda: at_s, kept=kept
    )
    for second in range(seconds):
        made.forecast(Snapshot(second, float(second), {"a": 50.0 + second % 7}), SENSORS, {})
    return made


def seen(learner: Learner) -> int:
    """How many seconds its forecasts have learnt from."""
    return int(learner.thermal.model.state()["tick"])


def blocks_of(learner: Learner) -> Mapping[str, bytes]:
    learner._blocks_at = 0
    make = learner.blocks()
    assert make is not None
    return make()


def test_each_array_lies_in_one_block_and_comes_back_with_all_its_bits() -> None:
    blocks = split(HEADER, MODELS)
    assert tuple(blocks) == OWNERS == LEARNT
    placed = {
        owner: {
            f"{model}/{name}"
            for model, state in checkpoint.unpack(data, machine="a machine")[1].items()
            for name in state
        }
        for owner, data in blocks.items()
    }
    assert placed == {
        "model": {"forecast/ridge/weights", "policy/online", "anomaly/declared"},
        "episode": {"forecast/lessons/store", "policy/memory"},
        "calibration": {"policy/usual", "anomaly/charts.now"},
    }
    header, models = join(blocks, machine="a machine")
    assert header == HEADER
    for model, state in MODELS.items():
        assert {name: (array.dtype, array.tobytes()) for name, array in models[model].items()} == {
            name: (array.dtype, array.tobytes()) for name, array in state.items()
        }


def test_every_part_of_the_learner_has_a_block_and_none_is_empty() -> None:
    blocks = blocks_of(learnt(20))
    for owner, data in blocks.items():
        _, models = checkpoint.unpack(data, machine="a machine")
        assert all(models[model] for model in ("forecast", "policy", "anomaly")), owner


@pytest.mark.parametrize("owner", OWNERS)
def test_blocks_that_do_not_belong_together_are_not_joined(owner: str) -> None:
    blocks = split(HEADER, MODELS)
    lost = {name: data for name, data in blocks.items() if name != owner}
    mixed = {**blocks, owner: split(Header("a machine", 7, 123.5, saved_s=201.0), MODELS)[owner]}
    damaged = {**blocks, owner: blocks[owner][:100] + bytes(len(blocks[owner]) - 100)}
    cut = {**blocks, owner: blocks[owner][:-20]}
    for wrong in (lost, mixed, damaged, cut, {}):
        with pytest.raises(Unusable):
            join(wrong, machine="a machine")
    with pytest.raises(Unusable, match="of another machine"):
        join(blocks, machine="another")


def test_a_learner_goes_on_from_the_newer_of_blocks_and_file(tmp_path: Path) -> None:
    before = learnt(20, folder=tmp_path, at_s=1000.0)
    before.close()
    in_file = seen(before)
    killed = blocks_of(learnt(40, at_s=2000.0))
    assert seen(learnt(0, folder=tmp_path)) == in_file
    later = learnt(0, folder=tmp_path, at_s=3000.0, kept=(killed,))
    assert seen(later) > in_file
    assert later.header.since_s == 2000.0
    older = blocks_of(learnt(40, at_s=500.0))
    assert seen(learnt(0, folder=tmp_path, kept=(older,))) == in_file
    torn = {**killed, "episode": older["episode"]}
    assert seen(learnt(0, folder=tmp_path, kept=(torn, torn))) == in_file
    assert seen(learnt(0, folder=tmp_path, kept=(torn, killed))) == seen(later)
    assert seen(learnt(0, kept=(torn,))) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["models.npz"]


def test_blocks_that_no_model_takes_leave_the_file_to_be_taken(tmp_path: Path) -> None:
    before = learnt(20, folder=tmp_path)
    before.close()
    wrong = split(Header("a machine", 0, 1.0, saved_s=9e9), {"forecast": {"names": np.zeros(3)}})
    assert seen(learnt(0, folder=tmp_path, kept=(wrong,))) == seen(before)


def test_the_host_makes_them_beside_the_tick_and_gives_them_once() -> None:
    host = Host(NeuralConfig(), lambda _state: None, folder=None, machine="a machine")
    assert host.blocks() == {}
    host.learner = learnt(20)
    host.learner._blocks_at = 0
    given: list[Mapping[str, bytes]] = []
    eventually(lambda: given.append(host.blocks()) or given[-1], "the blocks")  # type: ignore[func-returns-value]
    assert given[0] == {}, "nothing waits for them"
    assert tuple(given[-1]) == OWNERS
    assert host.blocks() == {}, "nothing is new"
