"""What is found missing, and what to do about it: one case for each sentence that a person may need."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from gamesad.__main__ import main
from gamesad.probe import graphics, report, system
from gamesad.probe.seen import look
from tests.hardware.test_declarations import GARBAGE
from tests.support.boards import BOARDS, RASPBERRY_PI, THINKPAD, TWO_EPYCS, TWO_XEONS, board, intel_cpu, policy
from tests.support.machines import Tree, tree
from tests.support.probing import arguments, told
from tests.support.trees import HAND_MADE, K10TEMP, PROC, amd_cpu, chip, zone

CPU = "/sys/devices/system/cpu"
CORETEMP: Tree = chip(
    0,
    "/sys/devices/platform/coretemp.0",
    {"name": "coretemp", "temp1_label": "Package id 0", "temp1_input": "50000", "temp1_crit": "100000"},
)
LAPTOP: Tree = {**PROC, **board("LENOVO", "20XX", "10"), **intel_cpu("i7"), **CORETEMP}
DESKTOP: Tree = {**PROC, **board("ASRock", "X670E", "3"), **amd_cpu(25, "AMD Ryzen 9 7950X")}
GUEST: Tree = {**PROC, **board("QEMU", "Standard PC", "1")}


PASSED_ON: Tree = {
    **DESKTOP,
    "/sys/bus/pci/devices/0000:01:00.0/class": "0x030000",
    "/sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de",
    "/sys/bus/pci/devices/0000:01:00.0/driver": "-> /sys/bus/pci/drivers/vfio-pci",
    "/sys/bus/pci/drivers/vfio-pci/module": "",
}
"""A graphics card that a virtual machine has."""


def cpuinfo(entries: Tree, flags: str) -> Tree:
    return {**entries, "/proc/cpuinfo": f"{entries['/proc/cpuinfo']}flags\t\t: {flags}\n"}


def disk(name: str) -> Tree:
    return {f"/sys/block/{name}/device/vendor": "ATA"}


CASES: dict[str, tuple[Tree, str, str, str]] = {
    "no coretemp": (
        {k: v for k, v in LAPTOP.items() if "coretemp" not in k and "hwmon" not in k},
        "fault", "nothing tells how warm the processor is", "modprobe coretemp",
    ),
    "no k10temp": (DESKTOP, "fault", "nothing tells how warm the processor is", "modprobe k10temp"),
    "a guest": (GUEST, "fault", "nothing tells how warm the processor is", "run gamesad on its host"),
    "a guest's clock": (GUEST, "note", "a virtual machine's clock is its host's", "run gamesad on its host"),
    "only acpitz": (
        {**PROC, **intel_cpu("i7"), **zone(0, "acpitz", "50000")},
        "missing", "only the firmware's zone acpitz", "modprobe coretemp",
    ),
    "TjMax unknown": (THINKPAD, "missing", "the package's zone does not say how hot", "modprobe coretemp"),
    "a critical sensor that fails": (
        {**LAPTOP, "/sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_input": "words"},
        "fault", "gives no reading: unparseable", "dmesg",
    ),
    "a critical sensor that lies": (
        {**LAPTOP, "/sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_input": "216000"},
        "fault", "reads 216 °C", "dmesg",
    ),
    "two packages": (TWO_XEONS, "note", "the hottest slows all of them", ""),
    "a zone switched off": (
        {**LAPTOP, **zone(3, "TCPU", "40000", mode="disabled")},
        "note", "thermal zone TCPU is switched off", "echo enabled > /sys/class/thermal/thermal_zone3/mode",
    ),
    "no cpufreq": (LAPTOP, "missing", "no cpufreq", "modprobe acpi-cpufreq"),
    "intel_pstate passive": (
        {**LAPTOP, **policy(0, "0", 400000, 4700000, "intel_cpufreq")},
        "good", "intel_pstate in passive mode", "",
    ),
    "amd_pstate unused": (
        cpuinfo({**DESKTOP, **policy(0, "0", 400000, 4500000, "acpi-cpufreq")}, "fpu cppc"),
        "missing", "amd_pstate could run this processor", "amd_pstate=active",
    ),
    "prefcore": (
        {**DESKTOP, **policy(0, "0", 400000, 4500000, "amd-pstate-epp"), f"{CPU}/amd_pstate/prefcore": "enabled"},
        "note", "prefcore", "",
    ),
    "dynamic_epp": (
        {**DESKTOP, f"{CPU}/amd_pstate/dynamic_epp": "enabled"}, "note", "dynamic_epp", "amd_dynamic_epp=disable",
    ),
    "governor userspace": (
        {**LAPTOP, **policy(0, "0", 400000, 4700000, "acpi-cpufreq", scaling_governor="userspace")},
        "note", "something else picks the frequency of policy0", "",
    ),
    "turbo off": (
        {**LAPTOP, f"{CPU}/intel_pstate/no_turbo": "1"}, "note", "turbo is off (intel_pstate.no_turbo = 1)", "",
    ),
    "no RAPL": (LAPTOP, "missing", "power is neither measured nor limited", "modprobe intel_rapl_msr"),
    "AMD's RAPL": (
        {**DESKTOP, "/sys/class/powercap/intel-rapl:0/name": "package-0",
         "/sys/class/powercap/intel-rapl:0/energy_uj": "5"},
        "note", "AMD shows the processor's energy and offers no limit", "",
    ),
    "no platform profile": (LAPTOP, "missing", "no platform profile", "thinkpad_acpi"),
    "platform profile custom": (
        {**LAPTOP, "/sys/firmware/acpi/platform_profile": "custom",
         "/sys/firmware/acpi/platform_profile_choices": "quiet balanced"},
        "note", "the platform profile is custom", "choose another one",
    ),
    "platform profile without choices": (
        {**LAPTOP, "/sys/firmware/acpi/platform_profile": "balanced",
         "/sys/firmware/acpi/platform_profile_choices": ""},
        "note", "no driver offers a choice", "platform driver",
    ),
    "nothing to set": (GUEST, "fault", "nothing can be set here that cools the processor", ""),
    "an ASRock without Super-I/O": (
        DESKTOP, "missing", "a guess by its maker (ASRock): it has a Nuvoton chip", "modprobe nct6775",
    ),
    "a Gigabyte without Super-I/O": (
        {**DESKTOP, **board("Gigabyte Technology Co., Ltd.", "B550", "3")},
        "missing", "a guess by its maker", "modprobe it87",
    ),
    "a ThinkPad without its driver": (
        {**LAPTOP, "/sys/class/dmi/id/product_version": "ThinkPad X1 Carbon"},
        "missing", "fans and probes of a ThinkPad", "modprobe thinkpad_acpi",
    ),
    "a Mac without its driver": (
        {**LAPTOP, **board("Apple Inc.", "MacBookPro11,1", "10")}, "missing", "of an Apple", "modprobe applesmc",
    ),
    "a Surface without its drivers": (
        {**LAPTOP, **board("Microsoft Corporation", "Surface Pro 9", "9")},
        "missing", "the Surface's fan", "modprobe -a surface_fan surface_temp",
    ),
    "a server": ({**LAPTOP, **board("Dell Inc.", "PowerEdge R650", "23")}, "note", "management controller", "ipmitool"),
    "SATA disks": ({**DESKTOP, **disk("sda"), **disk("sdb")}, "missing", "sda, sdb", "modprobe drivetemp"),
    "an NVMe disk": ({**DESKTOP, "/sys/class/nvme/nvme0/": ""}, "missing", "nvme0", "CONFIG_NVME_HWMON"),
    "a Pi's supply": (RASPBERRY_PI, "missing", "the supply voltage is or was too low", "the supply made for this"),
    "a card without a driver": (
        {**DESKTOP, "/sys/bus/pci/devices/0000:01:00.0/class": "0x030000",
         "/sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de"},
        "missing", "the card at 0000:01:00.0 has no driver", "nvidia or nouveau",
    ),
    "no pressure": (chip(0, K10TEMP, {"name": "k10temp"}), "note", "PSI", "psi=1"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_missing_is_said_with_its_remedy(tmp_path: Path, case: str) -> None:
    entries, level, text, remedy = CASES[case]
    findings = told(tree(tmp_path, entries))["Findings"]
    assert [one for one in findings if one["Level"] == level and text in one["Text"] and remedy in one["Remedy"]], (
        findings
    )


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        (TWO_XEONS, "modprobe"),
        (BOARDS["steam-deck"], "Super-I/O"),
        (THINKPAD | {"/sys/class/dmi/id/product_version": "ThinkPad"}, "thinkpad_acpi (ThinkPad) "),
        (GUEST, "modprobe"),
        ({**GUEST, "/sys/class/nvme/nvme0/": ""}, "NVMe"),
        ({**LAPTOP, **board("Dell Inc.", "PowerEdge R650", "23")}, "dell_smm_hwmon"),
        ({**LAPTOP, **board("HPE", "ProLiant DL380 Gen10", "23")}, "hp_wmi"),
        (HAND_MADE["ryzen-desktop"], "nct6775"),
        (PASSED_ON, "has no driver"),
        ({**DESKTOP, **disk("sda"), **HAND_MADE["ryzen-desktop"]}, "modprobe drivetemp"),
    ],
)
def test_what_is_there_is_not_asked_for(tmp_path: Path, entries: Tree, text: str) -> None:
    findings = told(tree(tmp_path, entries))["Findings"]
    assert [one for one in findings if text in f"{one['Text']} {one['Remedy']}"] == []


def test_limits_say_where_their_numbers_come_from(tmp_path: Path) -> None:
    sources = {}
    for name, entries in (BOARDS | HAND_MADE).items():
        for limit in told(tree(tmp_path / name, entries))["Limits"]:
            sources[name, limit["Sensor"]] = (limit["Limit"], limit["Source"])
    assert sources["two-xeons", "hwmon.coretemp-isa-0001.temp1"] == (92.5, "stated by coretemp")
    assert sources["two-epycs", "hwmon.k10temp-pci-00cb.temp1"] == (93.5, "gamesad's table, for k10temp states none")
    throttles = "gamesad's table: this board's firmware throttles there"
    assert sources["raspberry-pi", "thermal.cpu-thermal"] == (78.5, throttles)
    assert sources["arm-board", "thermal.cpu-thermal"] == (75.0, "stated by cpu-thermal")
    assert sources["steam-deck", "hwmon.nvme-pci-0100.temp1"] == (84.85, "stated by nvme")


def test_the_status_tells_a_script_whether_what_is_essential_is_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = (tree(tmp_path / name, entries) for name, entries in (("good", TWO_EPYCS), ("bad", GUEST)))
    statuses = [main(["--probe", "--root", str(root)]) for root in (good, bad)]
    assert statuses == [0, 1]
    assert capsys.readouterr().out.count("essential") == 2
    assert main(["--probe", "--simulate", "nothing/at-all"]) == 2


def test_json_is_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--probe=json", "--root", str(tree(tmp_path, TWO_EPYCS))])
    document = json.loads(capsys.readouterr().out)
    assert (document["Machine"], document["ExitStatus"]) == ("GIGABYTE R282-Z90", 0)
    assert {one["Level"] for one in document["Findings"]} == {"good", "note", "missing"}


def test_a_bad_configuration_is_a_fault_and_the_machine_is_told_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[limits]\nmargin_c = 'much'\n")
    seen = told(tree(tmp_path / "tree", TWO_EPYCS), "--config", str(tmp_path / "bad.toml"))
    [fault] = [one for one in seen["Findings"] if one["Level"] == "fault"]
    assert fault["Text"].startswith("the configuration has 1 fault")
    assert seen["Limits"]


def test_nothing_is_written(tmp_path: Path) -> None:
    root = tree(tmp_path, TWO_XEONS)
    before = {path: path.lstat().st_mtime_ns for path in root.rglob("*")}
    told(root)
    assert {path: path.lstat().st_mtime_ns for path in root.rglob("*")} == before


@pytest.mark.parametrize("garbage", GARBAGE)
def test_whatever_stands_in_the_files_something_is_said(tmp_path: Path, garbage: str) -> None:
    for name, entries in (BOARDS | HAND_MADE).items():
        root = tree(tmp_path / name, entries)
        for file in (path for path in root.rglob("*") if path.is_file() and not path.is_symlink()):
            file.write_bytes(GARBAGE[garbage])
        assert list(report.lines(told(root)))


class Live:
    """What checks of the running machine look at."""

    live = True
    root = False


def test_a_rival_owns_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "running_rivals", lambda: ["power-profiles-daemon"])
    [finding] = system.rivals(Live())  # type: ignore[arg-type]
    assert (finding.level, finding.part) == ("fault", "system")
    assert finding.remedy.endswith("sudo systemctl disable --now power-profiles-daemon")


def test_a_library_that_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.importlib.util, "find_spec", lambda name: None if name == "pyudev" else object())
    [finding] = system.libraries(Live())  # type: ignore[arg-type]
    assert finding.remedy == "apt install python3-pyudev"


def test_nvidias_library_and_drop_in_are_asked_for_where_its_driver_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = "/sys/bus/pci/devices/0000:01:00.0"
    card = {
        f"{device}/uevent": "DRIVER=nvidia\nPCI_ID=10DE:2704\nPCI_SLOT_NAME=0000:01:00.0",
        f"{device}/class": "0x030000",
        f"{device}/vendor": "0x10de",
        "/sys/class/drm/card1/device": f"-> {device}",
    }

    def asked(word: str, *, live: bool = True) -> bool:
        with ExitStack() as stack:
            seen = replace(look(arguments(tree(tmp_path / "root", card)), stack), live=live)
            return any(word in one.remedy for one in graphics.graphics(seen))

    monkeypatch.setattr(graphics, "DROP_INS", (str(tmp_path),))
    monkeypatch.setattr(graphics, "_has_nvml", lambda: False)
    assert asked("nvidia-ml-py")
    assert not asked("nvidia-ml-py", live=False), "a tree has no library"
    monkeypatch.setattr(graphics, "_has_nvml", lambda: True)
    assert asked("gamesad.service.d/nvidia.conf")
    assert not asked("nvidia.conf", live=False)
    (tmp_path / "nvidia.conf").touch()
    assert not asked("nvidia.conf")


def test_an_ordinary_user_is_told_what_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(tmp_path, TWO_XEONS)
    energies = sorted(root.glob("sys/devices/virtual/powercap/intel-rapl/*/energy_uj"))
    for path in [tmp_path, *tmp_path.parents[:2]]:
        path.chmod(0o755)
    for path in energies:
        path.chmod(0)
    uid = os.geteuid()
    if uid == 0:
        os.seteuid(65534)
    try:
        findings = [one["Text"] for one in told(root)["Findings"]]
    finally:
        os.seteuid(uid)
    assert any("energy counters need root since kernel 5.10" in text for text in findings)
    assert any(
        text.startswith("2 sensors may not be read by this user: powercap.intel-rapl:0.power") for text in findings
    )
