"""Placeholder until this file is written."""


def probe_sources(sysfs):
    return []


def probe_actuators(sysfs):
    return []
