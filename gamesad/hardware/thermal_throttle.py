"""Placeholder until this file is written."""


def probe_sources(sysfs):
    return []
