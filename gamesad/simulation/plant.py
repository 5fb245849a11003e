"""The simulated machine's physics: load, frequency, power and heat in steps of ``STEP_S``, whoever reads it and when.

The steps stand on a grid of their own, so what is read depends on the time only, not on how often it is read. Energy
is in joules since the start, work in 10⁹ cycles of a core that does one unit of work per cycle.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from gamesad.simulation.kinds import Cooling, Graphics, MachineKind
from gamesad.simulation.noise import normal, uniform
from gamesad.simulation.processor import Core, Socket, Wish
from gamesad.simulation.scenarios import Frame, Load, Scenario
from gamesad.simulation.thermal_network import Body, ThermalNetwork

STEP_S = 0.1
_FAN_INERTIA_S = 4.0
_FAN_SMOOTHING_S = 6.0
_NOISE_STEPS = 10
_GPU_TCC_STEP = 0.97


@dataclass(slots=True)
class Fan:
    """A fan under firmware's control: speed from the smoothed temperature of what it cools, with inertia."""

    full_rpm: float
    start_c: float
    full_c: float
    floor: float = 0.0
    rpm: float = 0.0
    smoothed_c: float = 0.0

    def step(self, temperature_c: float, dt_s: float) -> None:
        self.smoothed_c += (temperature_c - self.smoothed_c) * dt_s / _FAN_SMOOTHING_S
        part = (self.smoothed_c - self.start_c) / (self.full_c - self.start_c)
        wanted = max(self.floor, 0.0 if part <= 0.0 else 0.25 + 0.75 * min(part, 1.0)) * self.full_rpm
        self.rpm += (wanted - self.rpm) * dt_s / _FAN_INERTIA_S

    def flow(self) -> float:
        """Forced convection goes with about the 0.8th power of the speed (Dittus-Boelter)."""
        return (self.rpm / self.full_rpm) ** 0.8 if self.rpm > 1.0 else 0.0


@dataclass(slots=True)
class Gpu:
    kind: Graphics
    mhz: float
    limit_w: float
    fan: Fan
    busy: float = 0.0
    power_w: float = 0.0
    thermal_cap: float = 1.0

    def step(self, demand: float, edge_c: float) -> None:
        """``demand``: wanted part of the GPU at its highest clock."""
        kind = self.kind
        slowest = 0.2 * kind.maximum_mhz
        self.busy = min(demand * kind.maximum_mhz / self.mhz, 1.0)
        wanted = min(max(1.15 * demand, 0.2) * kind.maximum_mhz, kind.maximum_mhz * self.thermal_cap)
        full_w = kind.idle_w + (kind.board_w - kind.idle_w) * self.busy * (wanted / kind.maximum_mhz) ** 2.4
        if full_w > self.limit_w:
            wanted *= (self.limit_w / full_w) ** 0.42
        self.mhz = max(wanted, slowest)
        part = self.mhz / kind.maximum_mhz
        self.power_w = kind.idle_w + (kind.board_w - kind.idle_w) * self.busy * part**2.4
        self.power_w *= 1.0 + 0.002 * (edge_c - 60.0)
        if edge_c >= kind.edge_critical_c:
            self.thermal_cap = max(self.thermal_cap * _GPU_TCC_STEP, 0.2)
        else:
            self.thermal_cap = min(self.thermal_cap * 1.002, 1.0)


class Plant:
    """``step`` moves everything on by STEP_S. What the files show is read from the public attributes."""

    def __init__(self, kind: MachineKind, scenario: Scenario, seed: int) -> None:
        self.kind = kind
        self.scenario = scenario
        self.steps = 0
        self.ambient_offset_c = 0.0
        self.airflow = 1.0
        self.mains = not scenario.on_battery
        self.work_done = 0.0
        self.frames = 0.0
        self.frame_rate = 0.0
        self.board_w = kind.board_w
        self.battery_wh = kind.battery_wh * scenario.battery_charge
        self.energy_j: dict[str, float] = defaultdict(float)
        self.busy_s: list[float] = []
        self.cpu_seconds = 0.0
        self.runnable = 0.0
        self.pressure = [0.0, 0.0, 0.0]
        self.pressure_total_s = 0.0
        self.load_average = [0.1, 0.1, 0.1]
        self.seed = seed
        self.sockets = [self._socket(index) for index in range(kind.sockets)]
        self.cores = [core for socket in self.sockets for core in socket.cores]
        self.cpu_count = sum(len(core.cpus) for core in self.cores)
        self.busy_s = [0.0] * self.cpu_count
        self._by_speed = sorted(self.cores, key=lambda core: -core.kind.maximum_khz * core.kind.work_per_cycle)
        fastest = self._by_speed[0].kind
        self._full_rate = fastest.maximum_khz * 1e-6 * fastest.work_per_cycle
        cooling = kind.cooling
        self.fans = [Fan(cooling.fan_rpm, cooling.fan_start_c, cooling.fan_full_c) for _ in self.sockets]
        if not cooling.fan_rpm:
            self.fans = []
        card = kind.graphics
        self.gpu: Gpu | None = None
        if card:
            self.gpu = Gpu(card, 0.2 * card.maximum_mhz, card.board_w, Fan(card.fan_rpm, 52.0, 88.0))
        self._where: dict[str, int] = {}
        self.network = self._network()
        self.rest()

    @property
    def time_s(self) -> float:
        return self.steps * STEP_S

    def temperature_c(self, body: str) -> float:
        return self.network.temperature_c[self._where[body]]

    def has(self, body: str) -> bool:
        return body in self._where

    def noise_c(self, salt: int) -> float:
        """A sensor's own noise, -0.3..0.3, the same however often it is read within a tenth of a second."""
        return 0.6 * uniform(self.seed, self.steps, salt)

    def system_w(self) -> float:
        """What the battery or the plug gives."""
        return sum(socket.power_w for socket in self.sockets) + (self.gpu.power_w if self.gpu else 0.0) + self.board_w

    def step(self) -> None:
        t = self.time_s
        self.network.ambient_c = self.scenario.ambient_c(t) + self.ambient_offset_c
        load = self.scenario.load(t)
        if self.steps % _NOISE_STEPS == 0:
            for index, core in enumerate(self.cores):
                drift = 0.02 * normal(self.seed, self.steps, -1 - index)
                core.noise = min(max(core.noise * 0.8 + 0.2 + drift, 0.85), 1.15)
        gpu_demand = self._place(load)
        self._power(load, gpu_demand)
        heat_w = self._heat()
        self.network.step(heat_w, STEP_S)
        self._firmware()
        self._account(sum(heat_w))
        self.steps += 1

    def _socket(self, index: int) -> Socket:
        kind = self.kind
        per_socket = sum(core.count * core.threads for core in kind.cores)
        cpu = index * per_socket
        cores = []
        for core_kind in kind.cores:
            for _ in range(core_kind.count):
                cpus = tuple(range(cpu, cpu + core_kind.threads))
                cpu += core_kind.threads
                wish = Wish(kind.governor, core_kind.minimum_khz, core_kind.maximum_khz)
                cores.append(Core(core_kind, cpus, wish, float(core_kind.minimum_khz)))
        return Socket(kind, cores)

    def _network(self) -> ThermalNetwork:
        """Cores → package → heatsink → case air → ambient; the GPU and the disk give their heat to the same air."""
        kind, cooling = self.kind, self.kind.cooling
        sockets = len(self.sockets)
        per_socket = len(self.cores) // sockets
        # Leaves first: all cores, packages, sinks, GPU die, GPU sink, disk, air.
        packages, sinks = len(self.cores), len(self.cores) + sockets
        graphics = sinks + sockets
        air = graphics + (2 if kind.graphics else 0) + 1
        bodies = [
            Body(
                f"core{i}",
                cooling.core_j_k * (1.0 if core.kind.work_per_cycle >= 1.0 else 0.6),
                packages + i // per_socket,
                cooling.core_w_k * (1.0 if core.kind.work_per_cycle >= 1.0 else 0.7),
            )
            for i, core in enumerate(self.cores)
        ]
        bodies += [Body(f"package{s}", cooling.package_j_k, sinks + s, cooling.package_w_k) for s in range(sockets)]
        bodies += [Body(f"sink{s}", cooling.sink_j_k, air, cooling.sink_still_w_k) for s in range(sockets)]
        if card := kind.graphics:
            bodies.append(Body("gpu", card.die_j_k, graphics + 1, card.die_w_k))
            bodies.append(Body("gpu_sink", card.sink_j_k, air, card.sink_still_w_k))
        bodies.append(Body("disk", 25.0, air, 0.25))
        bodies.append(Body("air", kind.case_j_k, -1, kind.case_w_k))
        self._where = {body.name: index for index, body in enumerate(bodies)}
        return ThermalNetwork(bodies, self.scenario.ambient_c(0.0))

    def rest(self) -> None:
        """Goes to where the machine is after idling for long."""
        for _ in range(40):
            self._place(Load())
            self._power(Load(), 0.0)
            self.network.settle(self._heat())
            for fan, temperature_c in self._fans():
                fan.smoothed_c = temperature_c
                fan.step(temperature_c, _FAN_INERTIA_S)
            self._blow()
        for socket in self.sockets:
            socket.throttle_count, socket.throttle_ms, socket.throttled, socket.thermal_cap = 0, 0.0, False, 1.0

    def _place(self, load: Load) -> float:
        """Gives the threads to the fastest cores online; sets utilizations and work done; the GPU's demand."""
        online = [core for core in self._by_speed if core.online]
        wanted = [want * self._full_rate for want in load.threads]
        gpu_demand = load.gpu
        if load.frame is not None and online:
            gpu_demand = self._frames(load.frame, online, wanted)
        self.runnable = sum(1 for want in wanted if want > 0.3 * self._full_rate)
        if load.endless:
            wanted = [float("inf")] * len(online)
            self.runnable = sum(len(core.cpus) for core in online) * 1.2
        for core in self.cores:
            core.utilization = 0.004 if core.online else 0.0
        done = 0.0
        for core, want in zip(online, wanted, strict=False):
            rate = core.khz * 1e-6 * core.kind.work_per_cycle
            noisy = want * core.noise
            if noisy >= rate:
                core.utilization = 1.0
                done += rate
            else:
                core.utilization = max(noisy / rate, 0.004)
                done += noisy
        self.work_done += done * STEP_S
        return min(gpu_demand, 1.0)

    def _frames(self, frame: Frame, online: list[Core], wanted: list[float]) -> float:
        """Draws frames as fast as the slowest of cap, threads and GPU lets it; adds their work; the GPU's demand."""
        rates = [core.khz * 1e-6 * core.kind.work_per_cycle for core in online]
        fps = frame.cap_hz
        for cost, rate in zip(frame.threads, rates, strict=False):
            fps = min(fps, rate / cost)
        if self.gpu:
            fps = min(fps, self.gpu.mhz * 1e-3 / frame.gpu)
        self.frame_rate = fps
        self.frames += fps * STEP_S
        for slot, cost in enumerate(frame.threads):
            work = fps * cost
            if slot < len(wanted):
                wanted[slot] += work
            else:
                wanted.append(work)
        if not self.gpu:
            return 0.0
        held_by_gpu = fps >= self.gpu.mhz * 1e-3 / frame.gpu * 0.999
        return 1.0 if held_by_gpu else fps * frame.gpu / (self.gpu.kind.maximum_mhz * 1e-3)

    def _power(self, load: Load, gpu_demand: float) -> None:
        temperature = self.network.temperature_c
        first = 0
        for index, socket in enumerate(self.sockets):
            count = len(socket.cores)
            busy = sum(core.utilization for core in socket.cores) / count
            package_c = temperature[self._where[f"package{index}"]]
            own = temperature[first : first + count]
            socket.step(STEP_S, own, package_c, activity=load.activity, uncore=min(busy * 2.0, 1.0))
            first += count
        if self.gpu:
            self.gpu.step(gpu_demand, self.temperature_c("gpu"))

    def _heat(self) -> list[float]:
        heat = [core.power_w for core in self.cores]
        heat += [socket.uncore_w for socket in self.sockets]
        heat += [0.0] * len(self.sockets)
        if self.gpu:
            heat += [self.gpu.power_w, 0.0]
        disk_w = 2.0 + 2.0 * min(self.runnable / (self.cpu_count or 1), 1.0)
        heat += [disk_w, self.board_w - 2.0]
        return heat

    def _fans(self) -> list[tuple[Fan, float]]:
        driven = [(fan, self.temperature_c(f"package{index}")) for index, fan in enumerate(self.fans)]
        if self.gpu:
            driven.append((self.gpu.fan, self.temperature_c("gpu")))
        return driven

    def _firmware(self) -> None:
        temperature = self.network.temperature_c
        first = 0
        for socket in self.sockets:
            count = len(socket.cores)
            socket.regulate(max(temperature[first : first + count]), STEP_S)
            first += count
        for fan, temperature_c in self._fans():
            fan.step(temperature_c, STEP_S)
        self._blow()

    def _blow(self) -> None:
        """The fans' air carries heat from the sinks, and out of the case."""
        clear = self.scenario.airflow(self.time_s) * self.airflow
        cooling: Cooling = self.kind.cooling
        conductance, where = self.network.conductance_w_k, self._where
        out = 1.0
        for index, fan in enumerate(self.fans):
            flow = fan.flow() * clear
            conductance[where[f"sink{index}"]] = cooling.sink_still_w_k + cooling.sink_fan_w_k * flow
            out += 0.6 * flow / len(self.fans)
        if self.gpu:
            card = self.gpu.kind
            flow = self.gpu.fan.flow() * clear
            conductance[where["gpu_sink"]] = card.sink_still_w_k + card.sink_fan_w_k * flow
            out += 0.6 * flow
        conductance[where["air"]] = self.kind.case_w_k * out

    def _account(self, heat_w: float) -> None:
        energy = self.energy_j
        dram_w = self.kind.dram_w * (0.4 + 0.6 * min(self.runnable / self.cpu_count, 1.0))
        for index, socket in enumerate(self.sockets):
            energy[f"package{index}"] += socket.power_w * STEP_S
            energy[f"core{index}"] += socket.cores_w * STEP_S
            energy[f"uncore{index}"] += socket.uncore_w * STEP_S
            energy[f"dram{index}"] += dram_w * STEP_S
        energy["heat"] += heat_w * STEP_S
        busy_s = self.busy_s
        for core in self.cores:
            for cpu in core.cpus:
                busy_s[cpu] += core.utilization * STEP_S
        for index, span_s in enumerate((60.0, 300.0, 900.0)):
            self.load_average[index] += (self.runnable - self.load_average[index]) * STEP_S / span_s
        waiting = min(max(self.runnable / self.cpu_count - 0.8, 0.0), 1.0)
        self.pressure_total_s += waiting * STEP_S
        for index, span_s in enumerate((10.0, 60.0, 300.0)):
            self.pressure[index] += (waiting - self.pressure[index]) * STEP_S / span_s
        if self.kind.battery_wh:
            taken_wh = -self.battery_w() * STEP_S / 3600.0
            self.battery_wh = min(max(self.battery_wh - taken_wh, 0.0), self.kind.battery_wh)

    def battery_w(self) -> float:
        """Into the battery; negative when the machine runs from it."""
        return min(45.0, 400.0 * (1.0 - self.charge())) if self.mains else -self.system_w()

    def charge(self) -> float:
        return self.battery_wh / self.kind.battery_wh if self.kind.battery_wh else 0.0
