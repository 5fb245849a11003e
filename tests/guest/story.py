"""The life of gamesad on one machine, told while it is checked: ``test_story.py``, and ``--story`` for people."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.guest.laptop import COOL_C, FOUND, FULL, HOT_C, LOWEST, Laptop
from tests.guest.machine import wait_until

Say = Callable[[str], None]


class _Teller:
    def __init__(self, laptop: Laptop, say: Say) -> None:
        self._laptop = laptop
        self._say = say
        self._begun_s = time.monotonic()

    def line(self, text: str) -> None:
        self._say(f"{time.monotonic() - self._begun_s:6.1f} s  {text}")

    def shown(self, command: str) -> None:
        self._say(f"          # {command}")
        for one in self._laptop.run(command).out.splitlines():
            self._say(f"          {one}")

    def speed(self) -> str:
        """What the processor's performance registers hold."""
        first, second = (state / 10 for state in self._laptop.pstates)
        return f"{first:g} GHz" if first == second else f"{first:g} and {second:g} GHz"


def tell(laptop: Laptop, say: Say) -> None:
    """A load, too hot, released; a sensor that dies; a kill."""
    teller = _Teller(laptop, say)
    line, shown, speed = teller.line, teller.shown, teller.speed
    laptop.calm()
    line(f"Debian {laptop.release}, Linux {laptop.kernel.version}; gamesad is {laptop.unit('StatusText')}")
    shown("gamesactl status")
    shown("gamesactl tunables")
    line(f"a load runs at 86 °C, {speed()}; nothing is held back")
    took_s = laptop.heat()
    line(f"{HOT_C:g} °C, over the limit: {took_s:.2f} s later the processor's registers read {speed()}")
    assert took_s < 1.0
    assert "acpitz" in laptop.wait_said("throttle: ", GAMESAD_ACTION="throttle")["MESSAGE"]
    shown("gamesactl explain")
    laptop.firmware.temperature_c = COOL_C
    line(f"the load ends: {COOL_C:g} °C")
    assert laptop.bus("SetProfile s performance", user="stranger").startswith("polkit does not allow")
    line("meanwhile a stranger asks for more, and is refused")
    laptop.wait_as_found(90.0)
    line(f"everything is as found, {speed()}")

    laptop.firmware.temperature_c = None
    laptop.wait_said("failsafe settings", GAMESAD_ACTION="conservative")
    line(f"the sensor has died: failsafe, {speed()}")
    assert laptop.pstates == LOWEST
    restarts = int(laptop.unit("NRestarts"))
    laptop.run("systemctl kill --signal=KILL gamesad")
    wait_until(lambda: laptop.pstates == FULL, "the registers as found", 20.0, pause_s=0.005)
    line(f"gamesad is killed: as found, {speed()}, by systemd's hand")
    laptop.wait_said("put back cpufreq")
    laptop.firmware.temperature_c = COOL_C
    wait_until(lambda: laptop.bus("GetStatus") == "", "the next gamesad", 60.0)
    line("the sensor is well again, and the next gamesad is at work")
    assert int(laptop.unit("NRestarts")) == restarts + 1
    laptop.wait_as_found()
    shown("journalctl -u gamesad -o short-monotonic --no-hostname -b --no-pager -n 20")


def tell_power_cut(laptop: Laptop, say: Say) -> None:
    """The kernel forgets what was set; the firmware keeps its platform profile, as it does on a real laptop."""
    teller = _Teller(laptop, say)
    line, shown, speed = teller.line, teller.shown, teller.speed
    laptop.calm()
    laptop.run("systemd-run --quiet --unit=game gamesactl hold power-saver --reason 'a long read'")
    wait_until(lambda: laptop.firmware.platform_profile == "low-power", "the profile of the hold", 20.0, pause_s=0.001)
    # at once: what is not on the disk by now will never be
    laptop.power_cut(then=lambda: setattr(laptop.firmware, "temperature_c", COOL_C))
    line("power-saver was held, the firmware set to low-power, and the power cut; the machine has booted again")
    wait_until(lambda: laptop.firmware.platform_profile == "balanced", "the profile as found", 60.0)
    line(f"the firmware kept low-power over the cut; gamesad has put balanced back; {speed()}")
    laptop.wait_said("put back platform_profile")
    assert laptop.controls() == FOUND
    shown("journalctl -u gamesad -o short-monotonic --no-hostname -b --no-pager")
