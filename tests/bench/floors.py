"""The C floors: compiled with -O2 from c/*.c by the benchmark itself, and how Python calls the ones in-process."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from gamesad.types import Limit, Sensor

_FOLDER = Path(__file__).parent / "c"
_DIVISORS = {"temperature": 1e3, "power": 1e6, "voltage": 1e3, "current": 1e3}


def program(name: str, into: str, *, libraries: Sequence[str] = ()) -> str:
    """The path of the program made from c/NAME.c in the folder ``into``."""
    return _compile(name, f"{into}/{name}", [f"-l{library}" for library in libraries])


def library(name: str, into: str, *options: str) -> ctypes.CDLL:
    """c/NAME.c as a shared library; once loaded it needs its file in ``into`` no more."""
    return ctypes.CDLL(_compile(name, f"{into}/{name}.so", ["-shared", "-fPIC", *options]))


def _compile(name: str, output: str, options: Sequence[str]) -> str:
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", output, str(_FOLDER / f"{name}.c"), *options]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"{name}.c does not compile: {made.stderr}")
    return output


class _Sensor(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, ctypes.c_double) for name in ("divisor", "low", "high", "target", "envelope", "value", "slope")),
        ("descriptor", ctypes.c_int),
        ("valid", ctypes.c_int),
    ]


class _Regulator(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, ctypes.c_double) for name in ("last_s", "integral", "cap")),
        *((name, ctypes.c_long * 8) for name in ("wanted", "written")),
        ("writes", ctypes.c_int),
    ]


class CopyFloor:
    """c/crystal.c: memcpy of pieces of ``data`` into ``memory``."""

    def __init__(self, memory: mmap.mmap, data: bytes, size: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            library = ctypes.CDLL(_compile("crystal", f"{folder}/crystal.so", ["-shared", "-fPIC"]))
        self._copy = library.floor_copy
        self._copy.restype = ctypes.c_int64
        self._copy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int64, ctypes.c_uint64]
        self._memory = ctypes.c_char.from_buffer(memory)
        self._data, self._size = data, size
        self._from = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0

    def copy_us(self, offset: int, piece: int, times: int, apart: int) -> float:
        """Microseconds of one of so many copies, from that piece on, to ``offset`` and so many bytes further each."""
        to = ctypes.addressof(self._memory) + offset
        taken_ns = self._copy(to, self._from + piece * self._size, self._size, times, apart)
        return float(taken_ns) / 1e3 / times

    def close(self) -> None:
        """Lets go of the memory."""
        del self._memory


class CycleFloor:
    """c/cycle.c over the files of ``sensors`` under ``root``; ``limits`` names those that are regulated."""

    def __init__(self, root: str, sensors: Sequence[Sensor], limits: Sequence[Limit] = ()) -> None:
        with tempfile.TemporaryDirectory() as folder:  # a loaded library needs its file no more
            library = ctypes.CDLL(_compile("cycle", f"{folder}/cycle.so", ["-shared", "-fPIC"]))
        self._sample, self._cycle = library.floor_sample, library.floor_cycle
        self._sample.restype = self._cycle.restype = ctypes.c_int64
        regulated = {limit.sensor: limit for limit in limits}
        self._count = len(sensors)
        self._sensors = (_Sensor * self._count)()
        self._regulator = _Regulator()
        for place, sensor in zip(self._sensors, sensors, strict=True):
            place.divisor = _DIVISORS.get(sensor.quantity, 1.0)
            place.low, place.high = -1e9, 1e18
            if limit := regulated.get(sensor.name):
                place.target, place.envelope = limit.target_c, limit.envelope_c
            place.descriptor = os.open(root + sensor.path, os.O_RDONLY | os.O_CLOEXEC)

    def sample_us(self) -> float:
        """Microseconds of reading and parsing every file once."""
        return float(self._sample(self._sensors, self._count)) / 1e3

    def cycle_us(self) -> float:
        """Microseconds of one whole tick."""
        return float(self._cycle(self._sensors, self._count, ctypes.byref(self._regulator))) / 1e3

    @property
    def values(self) -> list[float]:
        """What the last pass read: the floor must have done the work."""
        return [place.value for place in self._sensors if place.valid]

    def close(self) -> None:
        for place in self._sensors:
            os.close(place.descriptor)
