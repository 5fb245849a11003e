"""Frequencies and throttle reasons of Intel's GPUs: each GT of each tile on its own.

xe: Documentation/ABI/testing/sysfs-driver-intel-xe... and xe_gt_freq.c, xe_gt_throttle.c: tileT/gtN/freq0/ with
act_freq, cur_freq (asked for), min_freq, max_freq, rpn_freq, rp0_freq in MHz, and throttle/status, throttle/reason_*.
i915: intel_gt_sysfs_pm.c: gt/gtN/ below the DRM node with rps_*_freq_mhz and throttle_reason_*; kernels before 5.18
have only gt_*_freq_mhz of the first GT, which are used where there is no gt folder. Energy, power and temperatures are
in the hwmon chips (i915, i915_gtN, xe).

A maximum below the minimum is refused by i915 (EINVAL) and has no effect on xe, so both ends can be set. While somebody
waits for its work i915 goes to the boost frequency, above the maximum (intel_rps.c, rps_work; intel_guc_slpc.c,
slpc_boost_work), so that can be set too. None is ever set above what was found, nor below RPn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gamesad.hardware.base import NumberFile, Sink
from gamesad.hardware.cards import Card
from gamesad.hardware.sysfs import Sysfs, errno_name
from gamesad.types import Absence, Heat, Quantity, Role, Sensor, SensorLimits, Tunable

_HZ_PER_MHZ = 1e6
_HIGHEST_HZ = 2e10
_SET = {
    "min": Role.FREQUENCY_MINIMUM,
    "max": Role.FREQUENCY_MAXIMUM,
    "boost": Role.FREQUENCY_BURST,
}
_TILE, _GT = re.compile(r"tile[0-9]+"), re.compile(r"gt[0-9]+")


@dataclass(frozen=True, slots=True)
class Gt:
    """``name`` within the card (``tile0.gt0``), ``stem`` of its frequency files around the word act, cur, min, max."""

    name: str
    folder: str
    stem: tuple[str, str]
    lowest_file: str
    highest_file: str
    throttle: str
    """What the path of every throttle file begins with; "" where there is none."""

    def file(self, word: str) -> str:
        return f"{self.stem[0]}{word}{self.stem[1]}"


def gts(sysfs: Sysfs, card: Card) -> list[Gt]:
    """Every GT that shows frequencies."""
    found = _xe(sysfs, card) if card.driver == "xe" else _i915(sysfs, card)
    return [gt for gt in found if sysfs.exists(f"{gt.folder}/{gt.file('max')}")]


def numbers(sysfs: Sysfs, card: Card) -> list[NumberFile]:
    """What each GT runs at, is asked for, and is allowed; limits are RPn and RP0."""
    files = []
    for gt in gts(sysfs, card):
        lowest, highest = _mhz(sysfs, gt, gt.lowest_file), _mhz(sysfs, gt, gt.highest_file)
        limits = SensorLimits(
            minimum=lowest * _HZ_PER_MHZ if lowest else None, maximum=highest * _HZ_PER_MHZ if highest else None
        )
        for word, label in (("act", ""), ("cur", " asked for"), ("min", " minimum"), ("max", " maximum")):
            path = f"{gt.folder}/{gt.file(word)}"
            if sysfs.exists(path):
                name = f"gpu.{card.name}.{gt.name}.{word}_freq"
                said = f"{card.driver} {gt.name.replace('.', ' ')}{label}"
                sensor = Sensor(name, Quantity.FREQUENCY, said, limits, card.driver, path=path)
                files.append(NumberFile(sensor, path, 1 / _HZ_PER_MHZ, 0.0, _HIGHEST_HZ))
    return files


def tunables(sysfs: Sysfs, card: Card) -> list[Tunable]:
    """Both ends of the range of each GT whose hardware limits are known, and its bursts."""
    found = []
    for gt in gts(sysfs, card):
        lowest, highest = _mhz(sysfs, gt, gt.lowest_file), _mhz(sysfs, gt, gt.highest_file)
        present = {word: _mhz(sysfs, gt, gt.file(word)) for word in _SET}
        if not lowest or not highest or lowest >= highest or not present["min"] or not present["max"]:
            continue
        for word, mhz in present.items():
            if mhz:  # xe has no boost frequency
                found.append(
                    Tunable(
                        f"gpu.{card.name}.{gt.name}.{word}_freq",
                        _SET[word],
                        f"{card.name}.{gt.name}",
                        f"{gt.folder}/{gt.file(word)}",
                        Heat.GPU,
                        unit="MHz",
                        minimum=min(lowest, mhz),
                        maximum=max(highest, mhz),
                    )
                )
    return found


class ThrottleReasons:
    """Why each GT is slower than asked for: ``none``, or the words of its reasons (``pl1 thermal``)."""

    def __init__(self, sysfs: Sysfs, card: Card) -> None:
        self._sysfs = sysfs
        self._rows: list[tuple[Sensor, Sequence[tuple[str, str]]]] = []
        for gt in gts(sysfs, card):
            if gt.throttle and sysfs.exists(f"{gt.throttle}status"):
                name, label = (
                    f"gpu.{card.name}.{gt.name}.throttle",
                    f"{card.driver} {gt.name.replace('.', ' ')} throttling",
                )
                sensor = Sensor(name, Quantity.STATE, label, driver=card.driver, path=f"{gt.throttle}status")
                self._rows.append((sensor, _reasons(sysfs, gt)))

    def sensors(self) -> Sequence[Sensor]:
        return [sensor for sensor, _reasons in self._rows]

    def sample(self, now_s: float, sink: Sink) -> None:
        for sensor, reasons in self._rows:
            try:
                sink.states[sensor.name] = self._say(sensor.path, reasons)
            except OSError as error:
                sink.absent[sensor.name] = Absence(errno_name(error), now_s)
            except ValueError:
                sink.absent[sensor.name] = Absence("unparseable", now_s)

    def close(self) -> None:
        """Nothing is kept open."""

    def _say(self, status: str, reasons: Sequence[tuple[str, str]]) -> str:
        if not self._flag(status):
            return "none"
        return " ".join(word for word, path in reasons if self._flag(path)) or "throttled"

    def _flag(self, path: str) -> bool:
        text = self._sysfs.read(path)
        if text not in {"0", "1"}:
            raise ValueError(text)
        return text == "1"


def _xe(sysfs: Sysfs, card: Card) -> list[Gt]:
    return [
        Gt(f"{tile}.{gt}", folder, ("", "_freq"), "rpn_freq", "rp0_freq", f"{folder}/throttle/")
        for tile in sysfs.list(card.device)
        if _TILE.fullmatch(tile)
        for gt in sysfs.list(f"{card.device}/{tile}")
        if _GT.fullmatch(gt) and (folder := f"{card.device}/{tile}/{gt}/freq0")
    ]


def _i915(sysfs: Sysfs, card: Card) -> list[Gt]:
    found = [
        Gt(gt, folder, ("rps_", "_freq_mhz"), "rps_RPn_freq_mhz", "rps_RP0_freq_mhz", f"{folder}/throttle_reason_")
        for gt in sysfs.list(f"{card.folder}/gt")
        if _GT.fullmatch(gt) and (folder := f"{card.folder}/gt/{gt}")
    ]
    return found or [Gt("gt0", card.folder, ("gt_", "_freq_mhz"), "gt_RPn_freq_mhz", "gt_RP0_freq_mhz", "")]


def _reasons(sysfs: Sysfs, gt: Gt) -> list[tuple[str, str]]:
    """(word, path) of each reason: ``reason_pl1`` and ``throttle_reason_pl1`` are both pl1."""
    folder, _slash, start = gt.throttle.rpartition("/")
    start = start or "reason_"
    files = [file for file in sysfs.list(folder) if file.startswith(start) and file != f"{start}status"]
    return [(file.removeprefix(start), f"{folder}/{file}") for file in files]


def _mhz(sysfs: Sysfs, gt: Gt, file: str) -> int | None:
    try:
        number = int(sysfs.read(f"{gt.folder}/{file}"))
    except (OSError, ValueError):
        return None
    return number if 0 < number < 100_000 else None
