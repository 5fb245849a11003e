"""/sys/class/hwmon and the devices behind it: coretemp or k10temp, the disk, acpitz, the GPU and the board's fan chip.

Refresh as the drivers do it: coretemp at most once a second in whole degrees, k10temp at every read in eighths,
nvme in whole degrees, the GPU every 0.1 s. Limits are stated where the driver states them, so not by k10temp.
What is written is a signed decimal number (drivers/hwmon/hwmon.c) that the driver clamps or refuses.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

from gamesad.simulation.kernel_text import kstrtol, match_string, refuse
from gamesad.simulation.plant import Fan, Gpu, Plant
from gamesad.simulation.tree import Tree

GPU_DEVICE = "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0"
_DISK = "/sys/devices/pci0000:00/0000:00:06.0/0000:02:00.0/nvme/nvme0"
_K10TEMP = "/sys/devices/pci0000:00/0000:00:18.3"

Celsius = Callable[[], float]


class Refreshed:
    """A driver that measures again only when its last measurement is older than ``period_s``."""

    def __init__(self, plant: Plant, measure: Celsius, period_s: float, step_c: float, salt: int) -> None:
        self._plant, self._measure, self._period_s, self._step_c, self._salt = plant, measure, period_s, step_c, salt
        self._taken_s = -1e9
        self._millidegrees = 0

    def text(self) -> str:
        now_s = self._plant.time_s
        if now_s - self._taken_s >= self._period_s:
            self._taken_s = now_s
            noisy = self._measure() + self._plant.noise_c(self._salt)
            self._millidegrees = round(noisy / self._step_c) * round(self._step_c * 1000)
        return str(self._millidegrees)


class Hwmon:
    """Numbers chips in the order they are added, as module loading does; ``sensors`` is path → what scenarios break."""

    def __init__(self, tree: Tree, plant: Plant) -> None:
        self.tree = tree
        self.plant = plant
        self.cpu_sensors: list[str] = []
        self.chips: dict[str, tuple[str, str]] = {}
        self._next = 0
        self._salt = 0

    def build(self) -> None:
        kind = self.plant.kind
        self._acpitz()
        self._disk()
        if kind.temperature_driver == "coretemp":
            for index in range(kind.sockets):
                self._coretemp(index)
        else:
            self._k10temp()
        if self.plant.gpu:
            self._gpu(self.plant.gpu)
        if kind.fan_chip:
            self._board(kind.fan_chip, self.plant.fans[0])
        elif self.plant.fans:
            self._fans("dell_smm" if kind.name == "laptop" else "server_fans")

    def chip(self, name: str, device: str) -> str:
        """A chip's hwmon folder, with its class link; ``device`` is the parent device's folder."""
        node = f"hwmon{self._next}"
        self._next += 1
        folder = f"{device}/hwmon/{node}"
        self.tree.constant(f"{folder}/name", name)
        self.tree.link(f"{folder}/device", device)
        self.tree.link(f"{folder}/subsystem", "/sys/class/hwmon")
        self.tree.link(f"/sys/class/hwmon/{node}", folder)
        self.chips.setdefault(name, (f"/sys/class/hwmon/{node}", folder))
        return folder

    def temperature(
        self, stem: str, measure: Celsius, *, period_s: float = 0.0, step_c: float = 1.0, label: str = ""
    ) -> str:
        """Adds ``stem``_input and its label; the input's path."""
        self._salt += 1
        self.tree.file(f"{stem}_input", Refreshed(self.plant, measure, period_s, step_c, self._salt).text)
        if label:
            self.tree.constant(f"{stem}_label", label)
        return f"{stem}_input"

    def limits(self, stem: str, **celsius: float) -> None:
        for name, value in celsius.items():
            self.tree.constant(f"{stem}_{name}", round(value * 1000))

    def _coretemp(self, index: int) -> None:
        plant, kind = self.plant, self.plant.kind
        device = f"/sys/devices/platform/coretemp.{index}"
        folder = self.chip("coretemp", device)
        cores = plant.sockets[index].cores
        first = index * len(cores)
        warning = kind.warning_c or kind.tj_max_c
        package = f"{folder}/temp1"

        def hottest() -> float:
            return max(plant.network.temperature_c[first : first + len(cores)])

        self.cpu_sensors.append(self.temperature(package, hottest, period_s=1.0, label=f"Package id {index}"))
        core_id = 0
        for number, core in enumerate(cores):
            stem = f"{folder}/temp{core_id + 2}"
            measure = partial(plant.temperature_c, f"core{first + number}")
            self.cpu_sensors.append(self.temperature(stem, measure, period_s=1.0, label=f"Core {core_id}"))
            self.limits(stem, max=warning, crit=kind.tj_max_c)
            self.tree.constant(f"{stem}_crit_alarm", 0)
            core_id += 4 if core.kind.name == "P" else 1
        self.limits(package, max=warning, crit=kind.tj_max_c)
        self.tree.constant(f"{package}_crit_alarm", 0)

    def _k10temp(self) -> None:
        plant = self.plant
        count = len(plant.cores)
        folder = self.chip("k10temp", _K10TEMP)

        def hottest() -> float:
            return max(plant.network.temperature_c[:count])

        def chiplet() -> float:
            return 0.7 * hottest() + 0.3 * plant.temperature_c("package0")

        tctl = self.temperature(f"{folder}/temp1", hottest, step_c=0.125, label="Tctl")
        tccd = self.temperature(f"{folder}/temp3", chiplet, step_c=0.125, label="Tccd1")
        self.cpu_sensors += [tctl, tccd]

    def _acpitz(self) -> None:
        folder = self.chip("acpitz", "/sys/devices/virtual/thermal/thermal_zone0")
        self.tree.remove(f"{folder}/device")
        self.temperature(f"{folder}/temp1", lambda: self.plant.temperature_c("air") + 2.0)

    def _disk(self) -> None:
        folder = self.chip("nvme", _DISK)
        plant = self.plant
        self.tree.constant(f"{_DISK}/model", "Simulated NVMe disk")
        self.tree.constant(f"{_DISK}/serial", "SIM0001")
        self.temperature(f"{folder}/temp1", lambda: plant.temperature_c("disk"), period_s=1.0, label="Composite")
        self.limits(f"{folder}/temp1", min=-273.15, max=81.85, crit=84.85)
        self.tree.constant(f"{folder}/temp1_alarm", 0)
        self.temperature(f"{folder}/temp2", lambda: plant.temperature_c("disk") + 6.0, period_s=1.0, label="Sensor 1")
        self.limits(f"{folder}/temp2", min=-273.15, max=65261.85)  # what real disks state: no limit

    def _gpu(self, gpu: Gpu) -> None:
        tree, plant, kind = self.tree, self.plant, gpu.kind
        folder = self.chip("amdgpu", GPU_DEVICE)
        edge = partial(plant.temperature_c, "gpu")
        self.temperature(f"{folder}/temp1", edge, period_s=0.1, label="edge")
        self._gpu_limits(f"{folder}/temp1", kind.edge_critical_c)
        self.temperature(f"{folder}/temp2", lambda: edge() + 0.06 * gpu.power_w, period_s=0.1, label="junction")
        self._gpu_limits(f"{folder}/temp2", kind.junction_critical_c)
        self.temperature(f"{folder}/temp3", lambda: edge() + 4.0 + 6.0 * gpu.busy, period_s=0.1, label="mem")
        self._gpu_limits(f"{folder}/temp3", kind.memory_critical_c)
        tree.file(f"{folder}/power1_average", lambda: str(round(gpu.power_w) * 1_000_000))
        tree.constant(f"{folder}/power1_label", "PPT")
        tree.constant(f"{folder}/power1_cap_min", 0)
        tree.constant(f"{folder}/power1_cap_max", round(kind.board_w * 1.15) * 1_000_000)
        tree.constant(f"{folder}/power1_cap_default", round(kind.board_w) * 1_000_000)

        def set_cap(text: str) -> None:
            microwatts = kstrtol(text)
            if not 0 <= microwatts <= round(kind.board_w * 1.15) * 1_000_000:
                refuse(errno.EINVAL)
            gpu.limit_w = max(float(microwatts // 1_000_000), kind.idle_w)

        tree.file(f"{folder}/power1_cap", lambda: str(round(gpu.limit_w) * 1_000_000), set_cap)
        tree.file(f"{folder}/freq1_input", lambda: str(round(gpu.mhz) * 1_000_000))
        tree.constant(f"{folder}/freq1_label", "sclk")
        tree.file(f"{folder}/in0_input", lambda: str(round(700 + 400 * gpu.mhz / kind.maximum_mhz)))
        tree.constant(f"{folder}/in0_label", "vddgfx")
        self._fan(f"{folder}/fan1", gpu.fan)
        tree.file(f"{GPU_DEVICE}/gpu_busy_percent", lambda: str(round(gpu.busy * 100)))
        level = ["auto"]

        def set_level(text: str) -> None:
            level[0] = match_string(text, ("auto", "low", "high", "manual"))

        tree.file(f"{GPU_DEVICE}/power_dpm_force_performance_level", lambda: level[0], set_level)
        tree.constant(f"{GPU_DEVICE}/vendor", "0x1002")
        tree.constant(f"{GPU_DEVICE}/device", "0x744c")
        tree.constant(f"{GPU_DEVICE}/class", "0x030000")
        tree.constant(f"{GPU_DEVICE}/power/runtime_status", "active")
        tree.link(f"{GPU_DEVICE}/drm/card1/device", GPU_DEVICE)
        tree.link("/sys/class/drm/card1", f"{GPU_DEVICE}/drm/card1")

    def _gpu_limits(self, stem: str, critical_c: float) -> None:
        self.limits(stem, crit=critical_c, crit_hyst=-273.15, emergency=critical_c + 5.0)

    def _board(self, name: str, fan: Fan) -> None:
        device = "nct6775.656" if name.startswith("nct") else "it87.2624"
        folder = self.chip(name, f"/sys/devices/platform/{device}")
        plant = self.plant
        self._fan(f"{folder}/fan1", fan)
        self.tree.constant(f"{folder}/fan2_input", 0)  # no fan on the second header
        self._pwm(f"{folder}/pwm1", fan)
        self.temperature(f"{folder}/temp1", lambda: plant.temperature_c("air") + 1.0, step_c=0.5, label="SYSTIN")
        self._settable_limit(f"{folder}/temp1_max", 80.0)
        self.temperature(f"{folder}/temp2", lambda: plant.temperature_c("package0"), step_c=0.5, label="CPUTIN")
        self.tree.constant(f"{folder}/in0_input", 1040)
        self.tree.constant(f"{folder}/in1_input", 3312)

    def _pwm(self, stem: str, fan: Fan) -> None:
        """nct6775: a speed is taken in manual mode (1); while the chip drives the fan it is EBUSY.

        The plant's fan turns as firmware wants all the same.
        """
        mode, speed = [5], [0]

        def set_mode(text: str) -> None:
            number = kstrtol(text)
            if not 0 <= number <= 5:
                refuse(errno.EINVAL)
            mode[0] = number

        def set_speed(text: str) -> None:
            number = kstrtol(text)
            if mode[0] > 1:
                refuse(errno.EBUSY)
            speed[0] = min(max(number, 0), 255)

        def text() -> str:
            return str(round(255 * fan.rpm / fan.full_rpm) if mode[0] > 1 else speed[0])

        self.tree.file(stem, text, set_speed)
        self.tree.file(f"{stem}_enable", lambda: str(mode[0]), set_mode)

    def _settable_limit(self, path: str, celsius: float) -> None:
        """nct6775: whole degrees of a signed byte."""
        limit = [round(celsius)]

        def store(text: str) -> None:
            limit[0] = min(max(int(kstrtol(text) / 1000), -128), 127)

        self.tree.file(path, lambda: str(limit[0] * 1000), store)

    def _fans(self, name: str) -> None:
        folder = self.chip(name, f"/sys/devices/platform/{name}")
        for number, fan in enumerate(self.plant.fans, start=1):
            self._fan(f"{folder}/fan{number}", fan)
            self.tree.constant(f"{folder}/fan{number}_label", f"Processor {number} Fan")

    def _fan(self, stem: str, fan: Fan) -> None:
        self.tree.file(f"{stem}_input", lambda: str(round(fan.rpm)))
        self.tree.constant(f"{stem}_max", round(fan.full_rpm))
