"""Whose machine it is stays with them: every kind of secret, planted wherever it could stand, is in no recording."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamesad.hardware.sysfs import Sysfs
from gamesad.recording.load import load
from gamesad.recording.replay import Replay
from gamesad.recording.scrub import KEPT_LINES, SHAPES, WITHHELD_NAMES, Scrub, is_withheld, of_this_machine
from gamesad.telemetry.collector import Collector
from tests.support.machines import rewrite, tree
from tests.support.recorded import Clock, put, record, text
from tests.support.trees import DISK, INTEL_LAPTOP, RYZEN_DESKTOP

NAMES = ("annabel", "Annabel Lee", "tim", "annabels-laptop")
SERIALS = ("PF3XK9QZ", "S5GXNX0T412345")
SECRETS = (
    *NAMES, *SERIALS,
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "00:1b:44:11:3a:b7", "00-1B-44-11-3A-B7", "00_1b_44_11_3a_b7",
    "enx001b44113ab7", "eui.0025385b71b0b3c1", "naa.5002538e40b0b3c1", "nvme.144d-533547584e58-1",
    "0025385b71b0b3c1", "0x5002538e40b0b3c1", "3f2504e04f8911d39a0c0305e82c3301", "192.168.17.23",
    "fe80::21b:44ff:fe11:3ab7", "2001:db8:85a3:8d3:1319:8a2e:370:7348", "annabel.lee@example.org", "/home/annabel",
)  # fmt: skip
MACHINE = INTEL_LAPTOP | {
    "/sys/class/hwmon/hwmon3/temp1_label": "Package id 0",
    "/sys/class/dmi/id/product_serial": "PF3XK9QZ",
    "/sys/class/dmi/id/product_name": "21AH",
    "/sys/class/dmi/id/sys_vendor": "LENOVO",
    "/sys/class/power_supply/BAT0/serial_number": "PF3XK9QZ",
    "/sys/class/power_supply/BAT0/model_name": "5B10W13930",
    "/proc/device-tree/model": "a board",
    "/proc/cpuinfo": "processor\t: 0\nmodel name\t: a processor\nSerial\t\t: 00000000a1b2c3d4",
}
SCRUB = {"names": NAMES, "serials": SERIALS}


def test_a_secret_planted_anywhere_is_never_in_the_file(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", MACHINE)
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    before = {path: path.read_text() for path in files}
    for place, path in enumerate(files):
        secret = SECRETS[place % len(SECRETS)]
        path.write_text(f"{before[path].rstrip()} {secret}\n")
    made, _totals = record(Sysfs(str(root)), scrub=Scrub(**SCRUB))
    told = text(made)
    assert [secret for secret in SECRETS if secret.casefold() in told.casefold()] == []
    assert told.count("scrubbed") > len(files) / 3


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(), secret=st.sampled_from(SECRETS), around=st.sampled_from(["{}", "x {} y", "({})", "a={};", "-{}-"])
)
def test_whatever_stands_around_it(tmp_path: Path, data: st.DataObject, secret: str, around: str) -> None:
    root = tree(tmp_path / "tree", MACHINE)
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    for path in data.draw(st.lists(st.sampled_from(files), min_size=1, max_size=5, unique=True)):
        path.write_text(around.format(secret) + "\n")
    made, _totals = record(Sysfs(str(root)), scrub=Scrub(**SCRUB))
    assert secret.casefold() not in text(made).casefold()


def test_a_secret_that_comes_later_is_not_told_either(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", MACHINE)
    made, _totals = record(
        Sysfs(str(root)),
        times_s=[1.0, 2.0],
        scrub=Scrub(**SCRUB),
        between=lambda _s: rewrite(root, "/proc/loadavg", "0.5 0.2 0.1 1/100 annabel 00:1b:44:11:3a:b7"),
    )
    assert "/proc/loadavg = 0.5 0.2 0.1 1/100 scrubbed" in text(made)
    assert "annabel" not in text(made)


def test_an_address_in_a_path_is_replaced_in_links_too_and_the_sensor_stays(tmp_path: Path) -> None:
    device = "/sys/devices/virtual/misc/uhid/0005:046D:B01F.0003/power_supply/hid-00:1b:44:11:3a:b7-battery"
    made, _totals = record(
        Sysfs(
            str(
                tree(
                    tmp_path / "tree",
                    {
                        f"{device}/type": "Battery",
                        f"{device}/scope": "Device",
                        f"{device}/capacity": "80",
                        f"{device}/model_name": "Annabel's headset",
                        "/sys/class/power_supply/hid-00:1b:44:11:3a:b7-battery": f"-> {device}",
                    },
                )
            )
        )
    )
    (tmp_path / "a.gz").write_bytes(made.data)
    assert "00:1b" not in text(made)
    assert "headset" not in text(made)
    sensors = Collector(Replay(load(str(tmp_path / "a.gz")), Clock()).sysfs).sensors
    assert list(sensors) == ["power_supply.hid-scrubbed1-battery.charge"]


def test_two_of_a_kind_stay_two() -> None:
    scrub = Scrub()
    said = scrub.text("/sys/x", b"00:1b:44:11:3a:b7 00:1b:44:11:3a:b8 00:1B:44:11:3A:B7")
    assert said == b"scrubbed1 scrubbed2 scrubbed1"


HARMLESS = (
    "61000", "-273150", "195786860870", "1234567890123456", "0000:03:00.0", "0-3,8-11", "ffffffff,ffffffff",
    "performance powersave", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", "cpu  3780 0 420 84000 0 0 0 0 0 0",
    "MemTotal:       16000000 kB", "0: 300Mhz\n1: 2124Mhz *", "13th Gen Intel(R) Core(TM) i7-1260P", "0x1002",
    "pci:v00001002d000073FFsv", "AMD Ryzen 7 7840U w/ Radeon 780M Graphics", "10de:2684", "2024-11-22",
)  # fmt: skip


@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_a_kernel_says_is_left_as_it_is(harmless: str) -> None:
    assert Scrub(**SCRUB).text("/sys/x", harmless.encode()).decode() == harmless


def test_names_that_are_the_kernels_words_too_are_left() -> None:
    scrub = Scrub(["coretemp", "power", "annabel", "gaming-rig"])
    scrub.spare(["/sys/devices/platform/coretemp.0/hwmon"])
    assert scrub.text("/sys/x", b"coretemp power annabel gaming-rig") == b"coretemp power scrubbed1 scrubbed2"


@pytest.mark.parametrize(
    ("name", "withheld"),
    [
        ("serial", True), ("product_serial", True), ("serial_number", True), ("board_asset_tag", True), ("wwid", True),
        ("unique_id", True), ("product_uuid", True), ("uniq", True), ("address", True), ("model_name", True),
        ("hostname", True), ("boot_id", True), ("version", True), ("edid", True), ("nguid", True),
        ("name", False), ("temp1_input", False), ("product_version", False), ("board_name", False), ("type", False),
        ("device", False), ("uevent", False), ("model", False),
    ],
)  # fmt: skip
def test_which_files_are_withheld(name: str, withheld: bool) -> None:
    assert is_withheld(f"/sys/class/x/{name}") is withheld


def test_of_some_files_only_some_lines_are_told() -> None:
    scrub = Scrub()
    uevent = b"DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\nHID_UNIQ=abc\nSERIAL=1\nPCI_ID=1002:73FF"
    assert scrub.text("/sys/x/uevent", uevent) == b"DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\nPCI_ID=1002:73FF"
    assert scrub.text("/proc/stat", b"cpu  1 2\ncpu0 1 2\nintr 5 6\nbtime 1700000000") == b"cpu  1 2\ncpu0 1 2"
    assert scrub.text("/proc/cpuinfo", b"processor : 0\nSerial : 00a1b2\nModel : x") == b"processor : 0\nModel : x"


def test_no_recorded_machine_tells_anything_of_its_kind(machines: dict[str, Path]) -> None:
    """On real trees: nothing of a shape that is replaced, no text of a file that is withheld."""
    shapes = [re.compile(shape) for shape, _what in SHAPES]
    for name, root in machines.items():
        made, totals = record(Sysfs(str(root)))
        assert totals.files > 10, name
        body = text(made).split("\nat 0.000\n")[0].split("\n", 5)[5]
        assert [shape.pattern for shape in shapes if shape.search(body)] == [], name
        for path in (path for path in root.rglob("*") if path.is_file() and is_withheld(str(path))):
            secret = path.read_text(errors="replace").strip()
            placed = secret in str(path)  # the PCI address of a disk
            assert placed or len(secret) < 6 or secret not in body, (name, path)


def test_this_very_machine_tells_nothing_of_itself() -> None:
    sysfs = Sysfs()
    made, _totals = record(sysfs, scrub=of_this_machine(sysfs))
    told = text(made).casefold()
    own = [os.uname().nodename, Path("/proc/sys/kernel/random/boot_id").read_text().strip()]
    for place in ("/etc/machine-id", "/sys/class/dmi/id/product_serial", "/sys/class/dmi/id/product_uuid"):
        own += [Path(place).read_text().strip()] if Path(place).is_file() else []
    own += [path.read_text().strip() for path in Path("/sys/class/net").glob("*/address")]
    assert [one for one in own if len(one) > 4 and one.strip("0:") and one.casefold() in told] == []
    assert "\n/proc/1/" not in told
    assert "/sys/class/net" not in told


def test_a_disk_of_a_scsi_host_keeps_its_place_and_not_its_number(tmp_path: Path) -> None:
    extra = {f"{DISK}/wwid": "naa.5002538e40b0b3c1", f"{DISK}/vpd_pg80": "S5GXNX0T412345", f"{DISK}/model": "Samsung"}
    made, _totals = record(Sysfs(str(tree(tmp_path, RYZEN_DESKTOP | extra))), scrub=Scrub())
    assert "5002538e40b0b3c1" not in text(made)
    assert "S5GXNX0T412345" not in text(made)


def test_every_row_of_the_tables_says_what_it_is_for() -> None:
    rows = (*WITHHELD_NAMES, *SHAPES, *((path, what) for path, _kept, what in KEPT_LINES))
    for pattern, what in rows:
        re.compile(pattern)
        assert len(what) > 3


def test_what_was_scrubbed_still_loads(tmp_path: Path) -> None:
    path = put(tmp_path / "a.gz", "gamesad recording 1\n0444 /sys/scrubbed1/x = scrubbed2\nat 0.000\nend\n")
    assert load(str(path)).complete
