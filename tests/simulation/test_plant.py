"""The simulated machine answers to load, limits and heat as a machine does."""

from __future__ import annotations

import itertools

import pytest

from gamesad.simulation import Machine, open_machine
from gamesad.simulation.kinds import KINDS
from gamesad.simulation.scenarios import SCENARIOS

CPU = "/sys/devices/system/cpu"
LONG = "/sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw"
SHORT = "/sys/class/powercap/intel-rapl:0/constraint_1_power_limit_uw"


def machine(name: str, seed: int = 0) -> Machine:
    return open_machine(name, seed=seed, clock=lambda: 0.0)


def hottest_c(this: Machine) -> float:
    return max(this.plant.network.temperature_c[: len(this.plant.cores)])


def set_every_policy(this: Machine, name: str, text: str) -> None:
    for cpu in range(this.plant.cpu_count):
        this.sysfs.write(f"{CPU}/cpufreq/policy{cpu}/{name}", text)


def mean_power_w(this: Machine, from_s: float, to_s: float) -> float:
    this.advance(from_s)
    start_j = this.plant.energy_j["package0"]
    this.advance(to_s)
    return (this.plant.energy_j["package0"] - start_j) / (to_s - from_s)


@pytest.mark.parametrize("kind", KINDS)
def test_heat_is_stored_or_leaves_and_none_appears(kind: str) -> None:
    this = machine(f"{kind}/compile")
    plant = this.plant
    stored_j, left_j, made_j = plant.network.stored_j(), 0.0, 0.0
    for _ in range(600):
        conductance = plant.network.conductance_w_k[-1]
        plant.step()
        made_j = plant.energy_j["heat"]
        left_j += conductance * (plant.network.temperature_c[-1] - plant.network.ambient_c) * 0.1
    assert plant.network.stored_j() - stored_j == pytest.approx(made_j - left_j, rel=1e-6)


def test_the_steady_temperature_is_what_the_resistances_say() -> None:
    """A fanless machine held at its lowest frequency until nothing moves: package over sink over air over room."""
    this = machine("fanless/compile")
    set_every_policy(this, "scaling_max_freq", "1400000")
    this.advance(170.0)
    for _ in range(40):
        this.plant.network.settle(this.plant._heat())
        this.plant.step()
    plant, kind = this.plant, this.kind
    cpu_w, whole_w = plant.sockets[0].power_w, plant.system_w() + 2.0 * plant.runnable / plant.cpu_count
    air_c = 24.0 + whole_w / kind.case_w_k
    sink_c = air_c + cpu_w / kind.cooling.sink_still_w_k
    assert plant.temperature_c("air") == pytest.approx(air_c, abs=1.0)
    assert plant.temperature_c("package0") == pytest.approx(sink_c + cpu_w / kind.cooling.package_w_k, abs=1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lower_maximum_frequency_is_cooler_and_does_less_work(kind: str) -> None:
    seen = []
    for part in (0.3, 0.5, 0.7):
        this = machine(f"{kind}/compile")
        for cpu in range(this.plant.cpu_count):
            policy = f"{CPU}/cpufreq/policy{cpu}"
            highest = int(this.sysfs.read(f"{policy}/cpuinfo_max_freq"))
            if kind == "fanless":
                highest = {0.3: 1_400_000, 0.5: 1_900_000, 0.7: 2_600_000}[part]
                this.sysfs.write(f"{policy}/scaling_max_freq", str(highest))
            else:
                this.sysfs.write(f"{policy}/scaling_max_freq", str(round(highest * part)))
        this.advance(60.0)
        seen.append((hottest_c(this), this.work_done))
    for (cool_c, little), (warm_c, more) in itertools.pairwise(seen):
        assert warm_c > cool_c + 0.5
        assert more > little * 1.1


@pytest.mark.parametrize("kind", ["laptop", "small-form-factor", "server"])
def test_the_long_power_limit_holds_the_average(kind: str) -> None:
    for part in (0.6, 0.4):
        this = machine(f"{kind}/compile")
        limit_w = round(this.kind.long_limit_w * part)
        for socket in range(len(this.plant.sockets)):
            folder = f"/sys/class/powercap/intel-rapl:{socket}"
            this.sysfs.write(f"{folder}/constraint_0_power_limit_uw", str(limit_w * 1_000_000))
        assert mean_power_w(this, 60.0, 90.0) == pytest.approx(limit_w, rel=0.03)


def test_the_short_power_limit_holds_at_once() -> None:
    this = machine("laptop/compile")
    this.sysfs.write(SHORT, "50000000")
    for _ in range(100):
        this.plant.step()
        assert this.plant.sockets[0].power_w <= 51.0


def test_a_burst_may_pass_the_long_limit_until_the_average_meets_it() -> None:
    this = machine("laptop/compile")
    assert mean_power_w(this, 1.0, 8.0) > 100.0
    assert mean_power_w(this, 60.0, 120.0) == pytest.approx(65.0, rel=0.03)


def test_a_power_limit_of_nothing_makes_the_machine_crawl() -> None:
    free, starved = machine("laptop/compile"), machine("laptop/compile")
    starved.sysfs.write(LONG, "0")
    free.advance(120.0)
    starved.advance(120.0)
    assert starved.work_done < free.work_done / 8.0
    assert starved.plant.cores[0].khz < 400_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scenario", ["compile", "clogged-fan", "heat-wave"])
def test_without_regulation_heavy_load_meets_the_hardware_throttle(kind: str, scenario: str) -> None:
    """Within five minutes; from then on the throttle holds the temperature."""
    this = machine(f"{kind}/{scenario}")
    second = 0
    while second < 300 and not this.plant.sockets[0].throttle_count:
        second += 1
        this.advance(float(second))
    assert this.plant.sockets[0].throttle_count
    for later in range(second, second + 15):
        this.advance(float(later))
        assert hottest_c(this) <= this.kind.tj_max_c + 5.0


def test_lowering_the_power_limit_in_time_avoids_the_hardware_throttle() -> None:
    this = machine("laptop/compile")
    this.advance(60.0)
    this.sysfs.write(LONG, "50000000")
    this.sysfs.write(SHORT, "50000000")
    this.advance(400.0)
    assert this.plant.sockets[0].throttle_count == 0
    assert hottest_c(this) < 96.0


def test_powersave_pins_the_minimum_on_acpi_cpufreq_and_not_on_intel_pstate() -> None:
    fanless, laptop = machine("fanless/compile"), machine("laptop/compile")
    set_every_policy(fanless, "scaling_governor", "powersave")
    set_every_policy(laptop, "scaling_governor", "powersave")
    fanless.advance(5.0)
    laptop.advance(5.0)
    assert fanless.sysfs.read(f"{CPU}/cpufreq/policy0/scaling_cur_freq") == "1400000"
    assert int(laptop.sysfs.read(f"{CPU}/cpufreq/policy0/scaling_cur_freq")) > 3_000_000


def test_the_preference_trades_power_for_speed() -> None:
    seen = []
    for preference in ("power", "balance_power", "balance_performance", "performance"):
        this = machine("laptop/steady-game")
        set_every_policy(this, "energy_performance_preference", preference)
        seen.append(mean_power_w(this, 10.0, 40.0))
    assert seen == sorted(seen)
    assert seen[0] < 0.8 * seen[-1]


def test_boost_off_stops_at_the_base_frequency() -> None:
    for kind, switch, text in (
        ("laptop", f"{CPU}/intel_pstate/no_turbo", "1"),
        ("desktop", f"{CPU}/cpufreq/boost", "0"),
        ("fanless", f"{CPU}/cpufreq/boost", "0"),
    ):
        this = machine(f"{kind}/compile")
        this.sysfs.write(switch, text)
        this.advance(3.0)
        base = {"laptop": 2_400_000, "desktop": 4_500_000, "fanless": 2_600_000}[kind]
        assert this.plant.cores[0].khz <= base


def test_platform_profile_moves_the_firmwares_own_limit() -> None:
    this = machine("laptop/compile")
    this.sysfs.write("/sys/firmware/acpi/platform_profile", "low-power")
    assert mean_power_w(this, 5.0, 20.0) < 55.0
    assert this.sysfs.read(LONG) == "65000000"


def test_leakage_makes_the_same_work_cost_more_when_hot() -> None:
    cold, hot = machine("laptop/steady-game"), machine("laptop/steady-game")
    hot.control.ambient(20.0)
    hot.advance(0.1)
    hot.plant.rest()  # until the whole case is as warm
    assert mean_power_w(hot, 60.0, 90.0) > mean_power_w(cold, 60.0, 90.0) * 1.02
    assert hot.work_done == pytest.approx(cold.work_done, rel=0.01)


def test_a_game_draws_fewer_frames_when_the_processor_is_slowed() -> None:
    free, slowed = machine("laptop/steady-game"), machine("laptop/steady-game")
    set_every_policy(slowed, "scaling_max_freq", "2000000")
    free.advance(30.0)
    slowed.advance(30.0)
    assert free.frame_rate > 120.0
    assert slowed.frame_rate < 0.75 * free.frame_rate
    assert slowed.plant.cores[0].utilization > free.plant.cores[0].utilization


def test_an_offline_cpu_does_no_work_and_takes_no_power() -> None:
    this = machine("laptop/compile")
    this.control.offline(5)
    this.advance(5.0)
    assert this.plant.cores[5].power_w == 0.0
    assert "cpu5 " not in this.sysfs.read("/proc/stat")
    assert this.sysfs.read(f"{CPU}/online") == "0-4,6-13"
    this.control.online(5)
    this.advance(6.0)
    assert this.plant.cores[5].power_w > 1.0


def test_what_is_read_depends_on_the_time_and_not_on_how_often_one_reads() -> None:
    often, once = machine("laptop/bursty-game", seed=3), machine("laptop/bursty-game", seed=3)
    for tenth in range(1, 901):
        often.advance(tenth / 10.0)
    once.advance(90.0)
    assert often.plant.network.temperature_c == once.plant.network.temperature_c
    assert often.work_done == once.work_done


def test_a_seed_gives_the_same_machine_again_and_another_seed_another() -> None:
    def trace(seed: int) -> list[str]:
        this = machine("desktop/bursty-game", seed=seed)
        sensor = next(path for path in this.hwmon.cpu_sensors)
        readings = []
        for second in range(60):
            this.advance(float(second))
            readings.append(this.sysfs.read(sensor))
        return [*readings, this.sysfs.read("/proc/sys/kernel/random/boot_id")]

    assert trace(1) == trace(1)
    assert trace(1) != trace(2)


def in_bounds(this: Machine, seconds: int) -> None:
    limit_c = this.kind.tj_max_c
    for second in range(1, seconds + 1):
        this.advance(float(second))
        plant = this.plant
        assert min(plant.network.temperature_c) > 15.0
        assert hottest_c(this) <= limit_c + 5.0
        for socket in plant.sockets:
            most_w = 1.01 * min(socket.short.limit_w, socket.firmware_w)
            assert 0.0 < socket.power_w <= most_w
        for core in plant.cores:
            assert 0.0 <= core.utilization <= 1.0
            assert 100_000 <= core.khz <= core.kind.maximum_khz
        if plant.gpu:
            assert 0.0 < plant.gpu.power_w < 1.3 * plant.gpu.kind.board_w
            assert plant.temperature_c("gpu") < plant.gpu.kind.edge_critical_c + 3.0
        assert 0.0 <= plant.charge() <= 1.0


@pytest.mark.parametrize("name", [f"{kind}/bursty-game" for kind in KINDS])
def test_a_minute_stays_within_physics(name: str) -> None:
    in_bounds(machine(name, seed=7), 60)


@pytest.mark.full
@pytest.mark.parametrize("name", [f"{kind}/{scenario}" for kind in KINDS for scenario in SCENARIOS])
def test_ten_minutes_of_everything_stay_within_physics(name: str) -> None:
    in_bounds(machine(name, seed=7), 600)
