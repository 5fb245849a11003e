"""A card that wakes is looked at again by the worker itself: no event of udev tells it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.config import Config, load
from gamesad.control import Control
from gamesad.events import Event
from gamesad.hardware import ACTUATORS
from gamesad.hardware.base import Actuator
from gamesad.hardware.sysfs import Sysfs
from gamesad.pipeline import Pipeline
from gamesad.posture import Posture
from gamesad.report import Moment
from gamesad.state import Wishes
from gamesad.telemetry.collector import Collector
from gamesad.telemetry.history import Record
from gamesad.worker import Worker
from tests.support.cards import DEVICE, RADEON, STATUS
from tests.support.machines import rewrite, tree

CAP = "hwmon.amdgpu-pci-0300.power1_cap"
FILE = f"{DEVICE}/hwmon/hwmon1/power1_cap"


class Around:
    """What the worker needs of a daemon."""

    def __init__(self, sysfs: Sysfs) -> None:
        self.sysfs = sysfs
        self.rescans = 0

    def actuators(self) -> list[Actuator]:
        return [actuator for probe in ACTUATORS for actuator in probe(self.sysfs)]

    def publish(self, moment: Moment, decided: Record | None, events: list[Event]) -> None:
        """Nobody listens."""

    def load_config(self) -> Config:
        return load(None, search=())

    def maintain(self) -> bool:
        return False

    def suspects(self) -> Sequence[str]:
        return ()

    def configure(self, config: Config) -> None:
        """Nothing to configure."""

    def rescan(self, pipeline: Pipeline, *, anew: bool) -> None:
        self.rescans += 1
        pipeline.collector.rescan(anew=anew)
        pipeline.executor.rescan(self.actuators())


class Daemon:
    def __init__(self, root: Path) -> None:
        sysfs = Sysfs(str(root))
        self.root, self.now_s = root, 1000.0
        self.around = Around(sysfs)
        config = self.around.load_config()
        baseline = Baseline.load(f"{root}/run", f"{root}/var", sysfs)
        self.executor = Executor(self.around.actuators(), baseline, clock=lambda: self.now_s)
        self.collector = Collector(sysfs)
        self.control = Control(config, Wishes(selected="quiet"))
        self.worker = Worker(
            Pipeline(self.collector, self.executor, config), self.control, config, self.around,
            posture=Posture(), state_path="", clock=lambda: self.now_s,
        )  # fmt: skip

    def step(self, status: str = "") -> None:
        """Ten seconds later, so that everything is read."""
        if status:
            rewrite(self.root, f"{DEVICE}/{STATUS}", status)
        self.now_s += 10.0
        self.worker.step()

    @property
    def cap(self) -> int:
        return int((self.root / FILE.strip("/")).read_text())


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    cool = dict.fromkeys((f"{DEVICE}/hwmon/hwmon1/temp{channel}_input" for channel in (1, 2)), "50000")
    made = Daemon(tree(tmp_path, {**RADEON, **cool, f"{DEVICE}/{STATUS}": "suspended"}))
    yield made
    made.collector.close()


def test_a_profile_reaches_a_card_that_slept_at_the_start(daemon: Daemon) -> None:
    daemon.step()
    assert (daemon.cap, daemon.around.rescans) == (200_000_000, 0)
    daemon.step("active")  # seen awake, and looked at again
    daemon.step()
    assert (daemon.cap, daemon.around.rescans) == (150_000_000, 1)


def test_one_look_is_enough_for_each_waking(daemon: Daemon) -> None:
    for status in ("active", "", "", "suspended", "", "active", "", ""):
        daemon.step(status)
    assert daemon.around.rescans == 2


def test_a_pause_puts_back_what_a_sleeping_card_still_holds_once_it_wakes(daemon: Daemon) -> None:
    daemon.step("active")
    daemon.step()
    assert daemon.cap == 150_000_000
    daemon.step("suspended")
    daemon.control.pause(0, daemon.now_s)
    daemon.step()
    assert daemon.cap == 150_000_000
    daemon.step("active")
    daemon.step()
    assert daemon.cap == 200_000_000
