"""The simulated machine as a daemon meets it: its tree, its faults, its name."""

from __future__ import annotations

import errno
import threading

import pytest

from gamesad.errors import Failed
from gamesad.hardware import ACTUATORS, SOURCES
from gamesad.hardware.base import Sink
from gamesad.simulation import Machine, open_machine
from gamesad.simulation.files.powercap import ENERGY_RANGE_UJ
from gamesad.simulation.kinds import KINDS
from gamesad.types import Quantity, Role

ENERGY = "/sys/class/powercap/intel-rapl:0/energy_uj"
PACKAGE = "/sys/class/hwmon/hwmon2/temp1_input"


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def sampled(machine: Machine, clock: Clock, seconds: int) -> Sink:
    """What every source of the daemon says after so long, read each second."""
    sources = [source for probe in SOURCES for source in probe(machine.sysfs)]
    sink = Sink()
    for _ in range(seconds):
        clock.now_s += 1.0
        sink = Sink()
        for source in sources:
            source.sample(clock.now_s, sink)
    for source in sources:
        source.close()
    return sink


@pytest.mark.parametrize("kind", KINDS)
def test_the_daemon_finds_and_reads_every_sensor(kind: str) -> None:
    clock = Clock()
    machine = open_machine(f"{kind}/compile", clock=clock)
    declared = {s.name: s for probe in SOURCES for source in probe(machine.sysfs) for s in source.sensors()}
    sink = sampled(machine, clock, 3)
    assert not sink.absent
    assert not sink.rejected
    assert declared.keys() == sink.readings.keys() | sink.states.keys()
    quantities = {sensor.quantity for sensor in declared.values()}
    assert {Quantity.TEMPERATURE, Quantity.POWER, Quantity.FREQUENCY, Quantity.UTILIZATION} <= quantities
    assert (Quantity.FAN in quantities) == (kind != "fanless")
    assert any(sensor.critical for sensor in declared.values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_daemon_finds_what_it_can_set(kind: str) -> None:
    machine = open_machine(kind, clock=lambda: 0.0)
    actuators = [actuator for probe in ACTUATORS for actuator in probe(machine.sysfs)]
    tunables = {tunable: actuator for actuator in actuators for tunable in actuator.tunables()}
    roles = {tunable.role for tunable in tunables}
    assert {Role.GOVERNOR, Role.FREQUENCY_MINIMUM, Role.FREQUENCY_MAXIMUM, Role.BOOST} <= roles
    assert (Role.EPP in roles) == (kind in {"laptop", "desktop", "small-form-factor"})
    assert (Role.POWER_LIMIT in roles) == (kind in {"laptop", "small-form-factor", "server"})
    assert (Role.PLATFORM_PROFILE in roles) == (kind == "laptop")
    for tunable, actuator in tunables.items():
        found = actuator.read(tunable)
        assert tunable.allows(found), tunable.name
        actuator.write(tunable, tunable.least)
        assert actuator.read(tunable) == tunable.least


def test_what_the_daemon_reads_is_what_is_true() -> None:
    clock = Clock()
    machine = open_machine("laptop/compile", clock=clock)
    sink = sampled(machine, clock, 20)
    plant = machine.plant
    hottest_c = max(plant.network.temperature_c[: len(plant.cores)])
    package = sink.readings["hwmon.coretemp-isa-0000.temp1"]
    assert package == pytest.approx(hottest_c, abs=2.5)
    assert sink.readings["powercap.intel-rapl:0.power"] == pytest.approx(plant.sockets[0].power_w, rel=0.1)
    assert sink.readings["cpu.utilization"] == pytest.approx(1.0, abs=0.02)
    assert sink.readings["cpufreq.policy0.frequency"] == pytest.approx(plant.cores[0].khz * 1000.0)


@pytest.mark.parametrize("name", ["", "laptop", "bursty-game", "server/idle", "idle/server"])
def test_it_says_that_it_is_simulated(name: str) -> None:
    machine = open_machine(name)
    assert machine.sysfs.simulated
    assert machine.sysfs.description.startswith("simulated ")
    assert "simulated" in machine.sysfs.read("/sys/class/dmi/id/product_name")
    assert "simulated" in machine.sysfs.read("/proc/version")


def test_the_description_names_machine_and_scenario() -> None:
    assert open_machine("desktop/heat-wave").description == "simulated desktop / heat-wave"
    assert open_machine("battery").description == "simulated laptop / battery"


def test_an_unknown_name_is_refused_with_the_choices_and_a_suggestion() -> None:
    with pytest.raises(Failed, match=r"'lapto'; did you mean laptop\? Machines: laptop, desktop.*compile"):
        open_machine("lapto/compile")
    with pytest.raises(Failed, match="more than one machine"):
        open_machine("laptop/desktop")


def test_energy_counters_wrap_at_their_range() -> None:
    clock = Clock()
    machine = open_machine("laptop/compile", clock=clock)
    before = int(machine.sysfs.read(ENERGY))
    machine.plant.energy_j["package0"] += (ENERGY_RANGE_UJ - before) / 1e6 - 5.0
    almost = int(machine.sysfs.read(ENERGY))
    clock.now_s += 1.0
    after = int(machine.sysfs.read(ENERGY))
    assert ENERGY_RANGE_UJ - 6_000_000 < almost < ENERGY_RANGE_UJ
    assert after < 300_000_000
    assert machine.sysfs.read("/sys/class/powercap/intel-rapl:0/max_energy_range_uj") == str(ENERGY_RANGE_UJ)


def test_coretemp_is_as_old_as_a_second_and_the_zone_is_always_fresh() -> None:
    clock = Clock()
    machine = open_machine("laptop/compile", clock=clock)
    cold = machine.sysfs.read(PACKAGE)
    clock.now_s += 0.9
    assert machine.sysfs.read(PACKAGE) == cold
    assert int(machine.sysfs.read("/sys/class/thermal/thermal_zone1/temp")) > int(cold) + 5000
    clock.now_s += 0.2
    assert int(machine.sysfs.read(PACKAGE)) > int(cold) + 5000
    assert int(cold) % 1000 == 0


def test_k10temp_counts_in_eighths_and_states_no_limits() -> None:
    machine = open_machine("desktop/compile", clock=lambda: 0.0)
    folder = next(
        f"/sys/class/hwmon/{name}"
        for name in machine.sysfs.list("/sys/class/hwmon")
        if machine.sysfs.read(f"/sys/class/hwmon/{name}/name") == "k10temp"
    )
    assert int(machine.sysfs.read(f"{folder}/temp1_input")) % 125 == 0
    assert not machine.sysfs.exists(f"{folder}/temp1_crit")


def test_a_handle_gives_a_fresh_value_from_the_start_and_the_same_further_on() -> None:
    clock = Clock()
    machine = open_machine("laptop/compile", clock=clock)
    handle = machine.sysfs.open("/proc/stat")
    first = machine.sysfs.pread(handle, 20)
    clock.now_s += 30.0
    assert machine.sysfs.pread(handle, 20, 20) != b""
    assert machine.sysfs.pread(handle, 20) != first
    machine.sysfs.close(handle)
    with pytest.raises(OSError, match="Bad file descriptor"):
        machine.sysfs.pread(handle, 20)


def test_a_broken_sensor_answers_its_errno_until_it_is_healed() -> None:
    machine = open_machine("laptop", clock=lambda: 0.0)
    machine.control.fail_sensor(PACKAGE, errno.ENODATA)
    with pytest.raises(OSError, match="No data available"):
        machine.sysfs.read(PACKAGE)
    machine.control.fail_sensor(PACKAGE, value="216000")
    assert machine.sysfs.read(PACKAGE) == "216000"
    machine.control.heal(PACKAGE)
    assert 20_000 < int(machine.sysfs.read(PACKAGE)) < 60_000


def test_a_stuck_sensor_stays_where_it_was() -> None:
    clock = Clock()
    machine = open_machine("laptop/compile", clock=clock)
    before = machine.sysfs.read(PACKAGE)
    machine.control.stick(PACKAGE)
    clock.now_s += 30.0
    assert machine.sysfs.read(PACKAGE) == before


def test_an_unplugged_chip_is_gone_even_for_those_who_hold_it_open() -> None:
    machine = open_machine("laptop", clock=lambda: 0.0)
    folder = next(
        f"/sys/class/hwmon/{name}"
        for name in machine.sysfs.list("/sys/class/hwmon")
        if machine.sysfs.read(f"/sys/class/hwmon/{name}/name") == "amdgpu"
    )
    handle = machine.sysfs.open(f"{folder}/temp1_input")
    machine.control.unplug("amdgpu")
    assert not machine.sysfs.exists(folder)
    with pytest.raises(OSError, match="No such device"):
        machine.sysfs.pread(handle, 20)
    machine.control.plug("amdgpu")
    assert machine.sysfs.exists(f"{folder}/temp1_input")
    with pytest.raises(Failed, match="no chip 'nouveau'; there are acpitz"):
        machine.control.unplug("nouveau")


def test_the_fn_key_and_the_plug_show_in_the_files() -> None:
    clock = Clock()
    machine = open_machine("laptop/battery", clock=clock)
    assert machine.sysfs.read("/sys/class/power_supply/BAT0/status") == "Discharging"
    charge = int(machine.sysfs.read("/sys/class/power_supply/BAT0/energy_now"))
    clock.now_s += 60.0
    assert int(machine.sysfs.read("/sys/class/power_supply/BAT0/energy_now")) < charge
    machine.control.mains_on()
    machine.control.firmware_profile("low-power")
    assert machine.sysfs.read("/sys/class/power_supply/AC/online") == "1"
    assert machine.sysfs.read("/sys/class/power_supply/BAT0/status") == "Charging"
    assert machine.sysfs.read("/sys/firmware/acpi/platform_profile") == "low-power"


def test_the_failing_sensor_dies_sticks_and_lies_and_comes_back() -> None:
    clock = Clock()
    machine = open_machine("laptop/failing-sensor", clock=clock)

    def at(second: float) -> str:
        clock.now_s = 100.0 + second
        try:
            return machine.sysfs.read(PACKAGE)
        except OSError as error:
            return errno.errorcode[error.errno or 0]

    assert int(at(50.0)) > 50_000
    assert at(70.0) == "EIO"
    assert int(at(100.0)) > 50_000
    assert at(125.0) == at(155.0)
    assert at(195.0) == "216000"
    assert at(205.0) == "-44000"
    assert at(240.0) == "EIO"
    with pytest.raises(OSError, match="Input/output error"):
        machine.sysfs.read("/sys/class/thermal/thermal_zone1/temp")
    assert int(at(260.0)) > 50_000


def test_a_heat_wave_and_a_clogged_fan_need_no_writes() -> None:
    clock = Clock()
    machine = open_machine("desktop/heat-wave", clock=clock)
    clock.now_s += 300.0
    machine.advance()
    assert machine.plant.network.ambient_c == pytest.approx(33.0, abs=0.2)


def test_a_long_absence_is_a_sleep_and_not_a_long_computation() -> None:
    clock = Clock()
    machine = open_machine("fanless/compile", clock=clock)
    clock.now_s += 120.0
    hot = int(machine.sysfs.read("/sys/class/hwmon/hwmon2/temp1_input"))
    clock.now_s += 10 * 24 * 3600.0
    assert int(machine.sysfs.read("/sys/class/hwmon/hwmon2/temp1_input")) < hot - 30_000
    clock.now_s += 10.0
    machine.advance()
    assert machine.plant.time_s == pytest.approx(130.0, abs=0.2)


def test_many_threads_may_read_and_write_at_once() -> None:
    clock = Clock()
    machine = open_machine("laptop/compile", clock=clock)
    wrong: list[str] = []

    def work(cpu: int) -> None:
        path = f"/sys/devices/system/cpu/cpufreq/policy{cpu}/scaling_max_freq"
        for khz in range(1_000_000, 1_040_000, 1000):
            clock.now_s += 0.01
            machine.sysfs.write(path, str(khz))
            if machine.sysfs.read(path) != str(khz):
                wrong.append(path)

    threads = [threading.Thread(target=work, args=(cpu,)) for cpu in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
