"""Many number files at once: one failing file costs the others nothing and is asked less and less often."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamesad.hardware.base import FileBatch, NumberFile, Sink
from gamesad.types import Quantity, Sensor
from tests.support.machines import rewrite, tree
from tests.support.sampling import FaultySysfs


def _number(name: str, *, critical: bool = False) -> NumberFile:
    sensor = Sensor(name, Quantity.TEMPERATURE, name, critical=critical)
    return NumberFile(sensor, f"/sys/{name}", 1000, -40.0, 126.0)


@pytest.fixture
def sysfs(tmp_path: Path) -> FaultySysfs:
    return FaultySysfs(str(tree(tmp_path, {"/sys/a": "41000", "/sys/b": "42000"})))


@pytest.fixture
def batch(sysfs: FaultySysfs) -> Iterator[FileBatch]:
    made = FileBatch(sysfs, [_number("a"), _number("b")])
    yield made
    made.close()


def _sample(batch: FileBatch, now_s: float) -> Sink:
    sink = Sink()
    batch.sample(now_s, sink)
    return sink


def test_a_failing_file_is_absent_since_its_first_failure_and_asked_less_and_less_often(
    sysfs: FaultySysfs, batch: FileBatch
) -> None:
    _sample(batch, 0.0)
    sysfs.faults["/sys/b"] = errno.ENODATA
    asked = []
    for second in range(1, 300):
        sysfs.reads.clear()
        sink = _sample(batch, float(second))
        assert sink.readings == {"a": 41.0}
        assert (sink.absent["b"].cause, sink.absent["b"].since_s) == ("ENODATA", 1.0)
        if "/sys/b" in sysfs.reads:
            asked.append(second)
    assert asked == [1, 2, 4, 9, 24, 84, 144, 204, 264]


def test_a_critical_sensor_is_asked_every_second(sysfs: FaultySysfs) -> None:
    batch = FileBatch(sysfs, [_number("a", critical=True)])
    sysfs.faults["/sys/a"] = errno.EIO
    for second in range(20):
        sysfs.reads.clear()
        assert _sample(batch, float(second)).absent["a"].cause == "EIO"
        assert sysfs.reads
    sysfs.faults.clear()
    assert _sample(batch, 20.0).readings == {"a": 41.0}
    batch.close()


def test_a_file_that_works_again_is_opened_anew(sysfs: FaultySysfs, batch: FileBatch, tmp_path: Path) -> None:
    _sample(batch, 0.0)
    sysfs.faults["/sys/b"] = errno.ENODEV
    _sample(batch, 1.0)
    sysfs.faults.clear()
    (tmp_path / "sys/b").unlink()
    tree(tmp_path, {"/sys/b": "50000"})  # the driver came back with new files; the old descriptor shows 42
    assert _sample(batch, 3.0).readings["b"] == 50.0


def test_another_cause_starts_a_new_absence(sysfs: FaultySysfs, batch: FileBatch) -> None:
    sysfs.faults["/sys/b"] = errno.ENODATA
    assert _sample(batch, 1.0).absent["b"].since_s == 1.0
    sysfs.faults["/sys/b"] = errno.EIO
    assert (_sample(batch, 2.0).absent["b"].cause, _sample(batch, 2.5).absent["b"].since_s) == ("EIO", 2.0)


@pytest.mark.parametrize("text", [b"", b"\n", b"N/A\n", b"\xff\xfe", b"12.5\n", b"1 2\n", b"0x20\n", b"[N/A]\n"])
def test_what_is_no_integer_is_unparseable(batch: FileBatch, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "sys/b").write_bytes(text)
    assert _sample(batch, 0.0).absent["b"].cause == "unparseable"


@pytest.mark.parametrize(
    "text", [b"42_000\n", b"4_2000", b"0" * 60 + b"41\n", b"0" * 70 + b"42000\n", b" " * 60 + b"42000\n"]
)
def test_what_python_or_a_cut_would_make_a_number_of_is_unparseable(
    batch: FileBatch, tmp_path: Path, text: bytes
) -> None:
    (tmp_path / "sys/b").write_bytes(text)
    assert _sample(batch, 0.0).absent["b"].cause == "unparseable"


@pytest.mark.parametrize("text", [b"4_3000\n", b"0" * 60 + b"41\n"])
def test_what_turns_into_no_number_loses_its_reading(batch: FileBatch, tmp_path: Path, text: bytes) -> None:
    assert _sample(batch, 0.0).readings["b"] == 42.0
    (tmp_path / "sys/b").write_bytes(text)
    sink = _sample(batch, 1.0)
    assert (sink.readings, sink.absent["b"].cause) == ({"a": 41.0}, "unparseable")


@pytest.mark.parametrize("text", [" 42000\n", "\t42000", "+42000\n", "042000\n", "42000  \n"])
def test_a_number_may_stand_among_blanks(batch: FileBatch, tmp_path: Path, text: str) -> None:
    (tmp_path / "sys/b").write_text(text)
    assert _sample(batch, 0.0).readings["b"] == 42.0


def test_an_impossible_value_is_rejected_with_the_value_and_the_range(batch: FileBatch, tmp_path: Path) -> None:
    rewrite(tmp_path, "/sys/b", "216000")
    rejection = _sample(batch, 0.0).rejected["b"]
    assert (rejection.value, rejection.reason) == (216.0, "outside what is possible, -40 to 126")


def test_a_value_is_either_a_reading_or_rejected_as_it_changes(batch: FileBatch, tmp_path: Path) -> None:
    told = []
    for second, text in enumerate(["42000", "216000", "43000", "43000"]):
        rewrite(tmp_path, "/sys/b", text)
        sink = _sample(batch, float(second))
        told.append((sink.readings.get("b"), "b" in sink.rejected))
    assert told == [(42.0, False), (None, True), (43.0, False), (43.0, False)]


def test_a_closed_batch_holds_no_descriptor(sysfs: FaultySysfs, batch: FileBatch) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    _sample(batch, 0.0)
    batch.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
