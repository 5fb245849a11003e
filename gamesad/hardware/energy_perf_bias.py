"""Placeholder until this file is written."""


def probe_actuators(sysfs):
    return []
