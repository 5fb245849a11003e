"""/sys/class/thermal and the CPU's thermal_throttle counters.

Zones are named by ``type``. x86_pkg_temp is fresh at every read and its trips are writable with -274000 for "not set"
(drivers/thermal/intel/x86_pkg_temp_thermal.c); acpitz has a passive and a critical trip. Cooling states beyond
``max_state`` are EINVAL (drivers/thermal/thermal_sysfs.c).
"""

from __future__ import annotations

import errno
from functools import partial

from gamesad.simulation.files.cpufreq import Cpufreq
from gamesad.simulation.kernel_text import kstrtol, match_string, refuse, sscanf_signed
from gamesad.simulation.plant import Plant
from gamesad.simulation.processor import Socket
from gamesad.simulation.tree import Tree

_ROOT = "/sys/devices/virtual/thermal"
_POLICIES = ("power_allocator", "user_space", "step_wise", "bang_bang", "fair_share")


class Thermal:
    def __init__(self, tree: Tree, plant: Plant, cpufreq: Cpufreq) -> None:
        self.tree = tree
        self.plant = plant
        self.cpu_sensors: list[str] = []
        self._acpitz()
        if plant.kind.temperature_driver == "coretemp":
            for index in range(plant.kind.sockets):
                self._package(index)
        for index, _policy in enumerate(cpufreq.policies):
            self._cooling_device(index, "Processor", 10)
        for index, _fan in enumerate(plant.fans, start=len(cpufreq.policies)):
            self._fan_device(index)
        self._throttle_counters(cpufreq)

    def _zone(self, number: int, kind: str) -> str:
        folder = f"{_ROOT}/thermal_zone{number}"
        self.tree.constant(f"{folder}/type", kind)
        mode, policy = ["enabled"], ["step_wise"]

        def set_mode(text: str) -> None:
            mode[0] = match_string(text, ("enabled", "disabled"))

        def set_policy(text: str) -> None:
            policy[0] = match_string(text.strip(), _POLICIES)

        self.tree.file(f"{folder}/mode", lambda: mode[0], set_mode)
        self.tree.file(f"{folder}/policy", lambda: policy[0], set_policy)
        self.tree.constant(f"{folder}/available_policies", " ".join(_POLICIES) + " ")
        self.tree.link(f"/sys/class/thermal/thermal_zone{number}", folder)
        return folder

    def _acpitz(self) -> None:
        folder = self._zone(0, "acpitz")
        self.tree.file(f"{folder}/temp", lambda: str(round(self.plant.temperature_c("air") + 2.0) * 1000))
        for number, (kind, celsius) in enumerate((("critical", 119.0), ("passive", 95.0))):
            self.tree.constant(f"{folder}/trip_point_{number}_type", kind)
            self.tree.constant(f"{folder}/trip_point_{number}_temp", round(celsius * 1000))
            self.tree.constant(f"{folder}/trip_point_{number}_hyst", 2000 if kind == "passive" else 0)

    def _package(self, index: int) -> None:
        plant = self.plant
        folder = self._zone(1 + index, "x86_pkg_temp")
        count = len(plant.sockets[index].cores)
        first = index * count

        def temperature() -> str:
            return str(round(max(plant.network.temperature_c[first : first + count])) * 1000)

        self.tree.file(f"{folder}/temp", temperature)
        self.cpu_sensors.append(f"{folder}/temp")
        for number in (0, 1):
            trip = _Trip()
            self.tree.constant(f"{folder}/trip_point_{number}_type", "passive")
            self.tree.file(f"{folder}/trip_point_{number}_temp", trip.text, trip.store)

    def _cooling_device(self, number: int, kind: str, max_state: int) -> None:
        folder = f"{_ROOT}/cooling_device{number}"
        state = [0]

        def set_state(text: str) -> None:
            wanted = sscanf_signed(text)
            if not 0 <= wanted <= max_state:
                refuse(errno.EINVAL)
            state[0] = wanted

        self.tree.constant(f"{folder}/type", kind)
        self.tree.constant(f"{folder}/max_state", max_state)
        self.tree.file(f"{folder}/cur_state", lambda: str(state[0]), set_state)
        self.tree.link(f"/sys/class/thermal/cooling_device{number}", folder)

    def _fan_device(self, number: int) -> None:
        self._cooling_device(number, "Fan", 1)

    def _throttle_counters(self, cpufreq: Cpufreq) -> None:
        """arch/x86/kernel/cpu/mce/therm_throt.c: counted where the processor tells of its own throttling (Intel)."""
        if self.plant.kind.vendor != "GenuineIntel":
            return
        per_socket = len(self.plant.cores) // len(self.plant.sockets)
        for policy in cpufreq.policies:
            socket = self.plant.sockets[self.plant.cores.index(policy.core) // per_socket]
            folder = f"/sys/devices/system/cpu/cpu{policy.cpu}/thermal_throttle"
            for name in ("core", "package"):
                self.tree.file(f"{folder}/{name}_throttle_count", partial(_throttle_count, socket))
                self.tree.file(f"{folder}/{name}_throttle_total_time_ms", partial(_throttle_ms, socket))


class _Trip:
    millidegrees = -274_000

    def text(self) -> str:
        return str(self.millidegrees)

    def store(self, text: str) -> None:
        self.millidegrees = kstrtol(text)


def _throttle_count(socket: Socket) -> str:
    return str(socket.throttle_count)


def _throttle_ms(socket: Socket) -> str:
    return str(round(socket.throttle_ms))
