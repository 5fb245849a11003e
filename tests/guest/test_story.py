"""The whole story on a guest of its own: heat, release, a dead sensor, a kill, a power cut."""

from __future__ import annotations

from tests.guest.laptop import Laptop
from tests.guest.story import tell


def test_the_story(laptop: Laptop) -> None:
    tell(laptop, print)
