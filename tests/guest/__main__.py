"""A root shell in a running guest: ``python -m tests.guest [--release 13] [--installed] [-c COMMAND | --story]``.

Its hardware does as it is told meanwhile: each line typed after Ctrl-] sets something, ``temperature 92``, ``ac off``,
``ppc 2``, ``key performance``.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import termios
import threading
import tty

from tests.guest.laptop import Laptop, installed
from tests.guest.machine import Guest
from tests.guest.qmp import connected
from tests.guest.story import tell, tell_power_cut
from tests.support import debian, debs

_ESCAPE = b"\x1d"
_SHELL = (
    "systemd-run --quiet --collect --wait --unit=shell --working-directory=/root --setenv=TERM=linux "
    "-p StandardInput=tty -p StandardOutput=tty -p StandardError=tty -p TTYPath=/dev/ttyS0 -p TTYReset=yes bash -l"
)
_A_DAY_S = 86400.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.guest", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--release", choices=debian.SUITES, default="12", help="of Debian; 12 when not given")
    parser.add_argument("--installed", action="store_true", help="with the packages of this tree on it")
    parser.add_argument("-c", metavar="COMMAND", dest="command", help="run this instead of a shell")
    parser.add_argument("--story", action="store_true", help="tell the whole story on a guest of its own, and end")
    options = parser.parse_args()
    if options.story:
        with Laptop(options.release, snapshot=installed(options.release, debs.built())) as laptop:
            tell(laptop, print)
            tell_power_cut(laptop, print)
        return 0
    snapshot = installed(options.release, debs.built()) if options.installed else None
    with Guest(options.release, snapshot=snapshot) as guest:
        if options.command:
            ran = guest.run(options.command, timeout_s=3600.0, check=False)
            sys.stdout.write(ran.out)
            sys.stderr.write(ran.err)
            return ran.code
        _converse(guest)
    return 0


def _converse(guest: Guest) -> None:
    """The terminal is the guest's, until its shell ends."""
    print(f"Debian {guest.release}, kernel {guest.kernel.version}. Ctrl-] asks for the hardware; exit ends everything.")
    console = connected(guest.console_socket, 10.0)
    shell = threading.Thread(target=lambda: guest.run(_SHELL, timeout_s=_A_DAY_S, check=False), daemon=True)
    shell.start()
    mine = sys.stdin.fileno()
    before = termios.tcgetattr(mine) if os.isatty(mine) else None
    try:
        if before:
            tty.setraw(mine)
        while shell.is_alive():
            for ready in select.select([mine, console], [], [], 0.2)[0]:
                if ready is console:
                    os.write(sys.stdout.fileno(), console.recv(65536))
                elif (typed := os.read(mine, 1024)) == _ESCAPE and before:
                    termios.tcsetattr(mine, termios.TCSADRAIN, before)
                    _steer(guest, input("\nhardware: ").split())
                    tty.setraw(mine)
                else:
                    console.sendall(typed or b"exit\r")
    finally:
        if before:
            termios.tcsetattr(mine, termios.TCSADRAIN, before)
        console.close()


def _steer(guest: Guest, words: list[str]) -> None:
    firmware = guest.firmware
    match words:
        case ["temperature", "none"]:
            firmware.temperature_c = None
        case ["temperature", celsius]:
            firmware.temperature_c = float(celsius)
        case ["ac", "on" | "off" as state]:
            firmware.ac_online = state == "on"
        case ["ppc", number]:
            firmware.ppc = int(number)
        case ["key", name]:
            firmware.press_profile_key(name)
        case _:
            print("temperature CELSIUS|none, ac on|off, ppc 0..3, key low-power|balanced|performance")
    limits = ", ".join(f"{state / 10:g} GHz" for state in guest.pstates)
    print(f"now {firmware.temperature_c} °C, {limits}, fan {firmware.fan_level}, {firmware.platform_profile}")


if __name__ == "__main__":
    sys.exit(main())
