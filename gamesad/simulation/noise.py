"""Repeatable noise: the same numbers for the same seed, however often and in whatever order they are asked for."""

from __future__ import annotations

_MASK = 0xFFFFFFFF


def uniform(seed: int, step: int, salt: int) -> float:
    """-0.5..0.5, evenly spread (Murmur3's finaliser over the three numbers)."""
    mixed = (seed * 2_654_435_761 ^ step * 0x9E3779B1 ^ salt * 0x85EBCA6B) & _MASK
    mixed = ((mixed ^ (mixed >> 16)) * 0x85EBCA6B) & _MASK
    mixed = ((mixed ^ (mixed >> 13)) * 0xC2B2AE35) & _MASK
    return ((mixed ^ (mixed >> 16)) & 0xFFFF) / 0xFFFF - 0.5


def normal(seed: int, step: int, salt: int) -> float:
    """About normal, with a standard deviation of 1: twelve dice would be exact, three do."""
    return 2.0 * sum(uniform(seed, step, salt * 3 + die) for die in range(3))
