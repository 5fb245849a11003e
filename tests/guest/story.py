"""The life of gamesad on one machine, told while it is checked: the guest layer's test, and ``--story``."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.guest.laptop import COOL_C, FULL, HOT_C, PROFILE, Laptop
from tests.guest.machine import wait_until


def tell(laptop: Laptop, say: Callable[[str], None]) -> None:
    """From a running machine with the service enabled, to a power cut and after."""
    begun = time.monotonic()

    def line(text: str) -> None:
        say(f"{time.monotonic() - begun:6.1f} s  {text}")

    def shown(command: str) -> None:
        say(f"          # {command}")
        for one in laptop.run(command).out.splitlines():
            say(f"          {one}")

    laptop.calm()
    line(f"Debian {laptop.release}, Linux {laptop.kernel.version}, {laptop.run('uptime -p').out.strip()}")
    shown("systemctl is-enabled gamesad; systemctl is-active gamesad")
    shown("gamesactl status")
    shown("gamesactl tunables")

    line("a load runs: the thermal zone reads 86 °C, nothing is held back")
    took_s = laptop.heat()
    assert took_s < 1.0
    line(f"{HOT_C:g} °C, over the limit: after {took_s:.2f} s the processor's registers read {_ghz(laptop)}")
    laptop.wait_said("throttle: ", GAMESAD_ACTION="throttle")
    shown("gamesactl explain")
    laptop.firmware.temperature_c = COOL_C
    line("the load ends: 60 °C")
    assert laptop.bus("SetProfile s performance", user="stranger").startswith("polkit does not allow")
    line("meanwhile a stranger asks for more, and is refused")
    laptop.wait_as_found(90.0)
    line(f"everything is as found, the registers read {_ghz(laptop)}")

    laptop.firmware.temperature_c = None
    laptop.wait_said("failsafe settings", GAMESAD_ACTION="conservative")
    line(f"the sensor has died: {_ghz(laptop)}")
    laptop.run("systemctl kill --signal=KILL gamesad")
    wait_until(lambda: laptop.pstates == FULL, "the registers as found", 20.0)
    line(f"gamesad is killed: {_ghz(laptop)}, as found, by systemd's hand")
    laptop.firmware.temperature_c = COOL_C
    wait_until(lambda: laptop.run("gamesactl status --json", check=False).code == 0, "the next gamesad", 60.0)
    line("the sensor is well again, and the next gamesad is at work")

    laptop.run("systemd-run --quiet --unit=game gamesactl hold power-saver --reason 'a long read'")
    wait_until(lambda: laptop.firmware.platform_profile == "low-power", "the profile of the hold", 30.0)
    line("somebody holds power-saver: the firmware is set to low-power")
    shown("journalctl -u gamesad -o short-monotonic --no-hostname -b --no-pager")
    laptop.power_cut()
    line("the power is cut; the machine has booted again")
    wait_until(lambda: laptop.firmware.platform_profile == "balanced", "the profile as found", 60.0)
    line(f"the firmware kept low-power over the cut; gamesad has put back {laptop.read(PROFILE)}")
    shown("journalctl -u gamesad -o short-monotonic --no-hostname -b --no-pager")


def _ghz(laptop: Laptop) -> str:
    return " and ".join(f"{state / 10:g} GHz" for state in laptop.pstates)
