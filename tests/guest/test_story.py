"""The whole story: heat, release, a dead sensor, a kill; and a power cut."""

from __future__ import annotations

import pytest

from tests.guest.laptop import Laptop
from tests.guest.story import tell, tell_power_cut


def test_throttled_released_safe_without_its_sensor_and_restored_after_a_kill(laptop: Laptop) -> None:
    tell(laptop, print)


@pytest.mark.full
def test_a_power_cut_leaves_no_trace_in_the_firmware(laptop: Laptop) -> None:
    tell_power_cut(laptop, print)
