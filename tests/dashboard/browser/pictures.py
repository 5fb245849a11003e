"""Makes the pictures in docs/dashboard.md, as root: ``python -m tests.dashboard.browser.pictures [MINUTES]``.

A simulated laptop in a heat wave is watched for some minutes while its profile changes.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.browser import browser
from tests.support.daemon import gamesad
from tests.support.dashboard import dashboard, simulated, wait_for_tick
from tests.support.private_bus import ROOT, system_bus

FOLDER = ROOT / "docs" / "dashboard"
GRAPHS = ("temperature", "utilization", "power", "frequency", "pressure", "cores")
STORY = ("balanced", "quiet", "balanced", "performance")
PICTURES = (
    ("overview", "dark", 1600, 1060), ("overview", "light", 1600, 1060), ("overview", "dark", 390, 1180),
    ("neural", "dark", 1600, 720), ("crystal", "light", 1600, 760), ("decisions", "light", 1600, 620),
)  # fmt: skip


def main(minutes: float) -> None:
    FOLDER.mkdir(exist_ok=True)
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="gamesad-pictures-")))
        place.chmod(0o755)
        os.environ["HOME"] = "/home/player"  # where logs of games are looked for
        bus = stack.enter_context(system_bus())
        stack.enter_context(gamesad(place, simulated(place, "laptop/heat-wave"), bus=bus.address))
        page = stack.enter_context(dashboard(place, shm=place / "shm", bus=bus))
        wait_for_tick(page)
        for profile in STORY:
            page.post("profile", {"name": profile})
            time.sleep(60 * minutes / len(STORY))
        tab = stack.enter_context(browser(place))
        for view, theme, width, height in PICTURES:
            tab.size(width, height)
            tab.open(page, view, theme=theme)
            if view == "overview" and width > 400:
                for graph in GRAPHS:
                    tab.wait(f"gamesa.graphs.shown('{graph}').past.points.t.length > 60")
            tab.wait("gamesa.model.store.size > 3")
            tab.picture(FOLDER / f"{view}-{theme if width > 400 else 'phone'}.png", width, height)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 6)
