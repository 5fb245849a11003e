"""Temperatures: what the machine depends on, which limits hold and where they come from."""

from __future__ import annotations

from collections.abc import Iterator

from gamesad.hardware import drivers
from gamesad.probe.findings import Finding, Level, count, listed
from gamesad.probe.seen import Seen
from gamesad.types import NO_LIMITS, Quantity, Sensor

PART = "temperatures"


def temperatures(seen: Seen) -> Iterator[Finding]:
    found = seen.of(Quantity.TEMPERATURE)
    needed = [sensor for sensor in found if sensor.critical]
    if not needed:
        text = "nothing tells how warm the processor is, so no limit can be kept for it"
        yield Finding(PART, Level.FAULT, text, _how_to_get(seen))
    for sensor in needed:
        yield _critical(seen, sensor)
    yield from _better(seen, needed)
    others = [sensor for sensor in found if not sensor.critical]
    read = [sensor for sensor in others if sensor.name in seen.snapshot.readings]
    if others:
        yield Finding(PART, Level.GOOD, f"{len(read)} of {count(len(others), 'other temperature')} can be read")
    yield from _unreadable(seen, others)
    yield from _disabled(seen)


def _critical(seen: Seen, sensor: Sensor) -> Finding:
    name, snapshot = sensor.name, seen.snapshot
    if name in snapshot.readings:
        text = f"{sensor.label} is at {snapshot.readings[name]:.1f} °C ({name}); the machine depends on it"
        return Finding(PART, Level.GOOD, text)
    if name in snapshot.rejected:
        rejection = snapshot.rejected[name]
        text = f"{sensor.label} ({name}) reads {rejection.value:g} °C, {rejection.reason}"
        return Finding(PART, Level.FAULT, text, "see whether the driver or the firmware is to blame: dmesg")
    cause = snapshot.absent[name].cause
    fault = snapshot.absent[name].is_fault
    text = f"{sensor.label} ({name}) gives no reading: {cause}"
    return Finding(PART, Level.FAULT if fault else Level.NOTE, text, "see: dmesg" if fault else "")


def _better(seen: Seen, needed: list[Sensor]) -> Iterator[Finding]:
    """What would tell more of the processor than what there is."""
    kinds = {sensor.driver for sensor in needed}
    if kinds == {"acpitz"}:
        text = "only the firmware's zone acpitz tells of the processor, and that is often a constant"
        yield Finding(PART, Level.MISSING, text, _how_to_get(seen))
    elif kinds == {"x86_pkg_temp"}:
        text = "the package's zone does not say how hot this processor may get; 95 °C is taken"
        yield Finding(PART, Level.MISSING, text, "load coretemp, which knows: modprobe coretemp")
    if len(needed) > 1:
        text = (
            f"{count(len(needed), 'sensor')} tell of the processors, each with its limit; the hottest slows all of them"
        )
        yield Finding(PART, Level.NOTE, text)


def _how_to_get(seen: Seen) -> str:
    if seen.virtual:
        return "a virtual machine is shown none; run gamesad on its host"
    if seen.intel:
        return "load coretemp: modprobe coretemp"
    if seen.amd:
        if seen.processor.family >= 0x10:
            return "load k10temp: modprobe k10temp (a processor newer than the kernel needs a newer kernel)"
        return "load k8temp: modprobe k8temp"
    if seen.arm:
        return "the kernel needs the thermal driver of this chip, and its device tree the zones; try a newer kernel"
    return "install lm-sensors and run sensors-detect, which knows the drivers of most chips"


def _unreadable(seen: Seen, others: list[Sensor]) -> Iterator[Finding]:
    rejected = [
        f"{sensor.label} {seen.snapshot.rejected[sensor.name].value:g} °C ({sensor.name})"
        for sensor in others
        if sensor.name in seen.snapshot.rejected
    ]
    if rejected:
        yield Finding(PART, Level.NOTE, f"rejected as impossible, most likely not fitted: {listed(rejected)}")
    causes: dict[str, list[str]] = {}
    for sensor in others:
        if sensor.name in seen.snapshot.absent:
            causes.setdefault(seen.snapshot.absent[sensor.name].cause, []).append(sensor.label)
    for cause, labels in causes.items():
        yield Finding(PART, Level.NOTE, f"without a reading ({_said(cause)}): {listed(labels)}")


def _said(cause: str) -> str:
    plain = {
        "asleep": "asleep, and not woken",
        "idle": "a disk at rest, and not disturbed",
        "ENODATA": "ENODATA, the driver has no value",
        "ENXIO": "ENXIO, nothing is fitted there",
        "unread": "slow to answer",
    }
    return plain.get(cause, cause)


def _disabled(seen: Seen) -> Iterator[Finding]:
    for folder, kind in drivers.zone_types(seen.sysfs).items():
        if seen.text(f"{folder}/mode") == "disabled":
            text = f"thermal zone {kind} is switched off; what it reads is not kept up"
            yield Finding(PART, Level.NOTE, text, f"to switch it on: echo enabled > {folder}/mode")


def stated_by(sensor: Sensor) -> str:
    """Where the number behind a sensor's limit comes from: the hardware, by way of its driver, or gamesad's table."""
    if sensor.limits == NO_LIMITS:
        return "the configuration"
    return sensor.limits_from or f"stated by {sensor.driver}"
