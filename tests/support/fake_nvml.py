# ruff: noqa: N802, N803, A002 - the names of nvidia-ml-py
"""A ``pynvml`` with cards made by hand: the names, constants and error classes of nvidia-ml-py, every call counted.

``test_nvidia.py`` holds it to the real module: what it has, that has too, with the same arguments and values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pynvml as real

COPIED = (
    "NVML_TEMPERATURE_GPU",
    "NVML_TEMPERATURE_THRESHOLD_SHUTDOWN",
    "NVML_TEMPERATURE_THRESHOLD_SLOWDOWN",
    "NVML_TEMPERATURE_THRESHOLD_MEM_MAX",
    "NVML_TEMPERATURE_THRESHOLD_GPU_MAX",
    "NVML_CLOCK_GRAPHICS",
    "NVML_CLOCK_MEM",
    "NVML_FI_DEV_MEMORY_TEMP",
    *(name for name in vars(real) if name.startswith(("NVML_ERROR_", "nvmlClocksThrottleReason"))),
)


@dataclass
class Board:
    """One card: what it answers, and ``faults`` by function name (an NVML error code)."""

    temp_c: int = 61
    power_mw: int = 220_000
    limit_mw: int = 320_000
    constraints_mw: tuple[int, int] = (100_000, 336_000)
    graphics_mhz: int = 1710
    memory_mhz: int = 9501
    gpu_percent: int = 97
    memory_percent: int = 41
    used_b: int = 1 << 30
    total_b: int = 10 << 30
    memory_temp_c: int | None = None
    reasons: int = 0
    faults: dict[str, int] = field(default_factory=dict)


class FakeNvml:
    """``calls`` has every call: (function, PCI address or "")."""

    def __init__(self, boards: dict[str, Board]) -> None:
        self.boards = boards
        self.calls: list[tuple[str, str]] = []
        self.faults: dict[str, int] = {}
        self.opened = 0
        self.NVMLError = real.NVMLError
        for name in COPIED:
            setattr(self, name, getattr(real, name))

    def nvmlInit(self) -> None:
        self._called("nvmlInit")
        self.opened += 1

    def nvmlShutdown(self) -> None:
        self._called("nvmlShutdown")
        if not self.opened:
            raise real.NVMLError(real.NVML_ERROR_UNINITIALIZED)
        self.opened -= 1

    def nvmlDeviceGetHandleByPciBusId(self, pciBusId: str) -> str:
        self._called("nvmlDeviceGetHandleByPciBusId", pciBusId)
        if not self.opened:
            raise real.NVMLError(real.NVML_ERROR_UNINITIALIZED)
        if pciBusId not in self.boards:
            raise real.NVMLError(real.NVML_ERROR_NOT_FOUND)
        return pciBusId

    def nvmlDeviceGetTemperature(self, handle: str, sensor: int) -> int:
        assert sensor == real.NVML_TEMPERATURE_GPU
        return self._board("nvmlDeviceGetTemperature", handle).temp_c

    def nvmlDeviceGetTemperatureThreshold(self, handle: str, threshold: int) -> int:
        self._board("nvmlDeviceGetTemperatureThreshold", handle)
        known = {
            real.NVML_TEMPERATURE_THRESHOLD_SHUTDOWN: 98,
            real.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN: 95,
            real.NVML_TEMPERATURE_THRESHOLD_GPU_MAX: 93,
        }
        if threshold not in known:
            raise real.NVMLError(real.NVML_ERROR_NOT_SUPPORTED)
        return known[threshold]

    def nvmlDeviceGetFieldValues(self, handle: str, fieldIds: list[int]) -> list[Any]:
        board = self._board("nvmlDeviceGetFieldValues", handle)
        assert fieldIds == [real.NVML_FI_DEV_MEMORY_TEMP]
        if board.memory_temp_c is None:
            return [SimpleNamespace(nvmlReturn=real.NVML_ERROR_NOT_SUPPORTED, value=SimpleNamespace(uiVal=0))]
        return [SimpleNamespace(nvmlReturn=0, value=SimpleNamespace(uiVal=board.memory_temp_c))]

    def nvmlDeviceGetPowerUsage(self, handle: str) -> int:
        return self._board("nvmlDeviceGetPowerUsage", handle).power_mw

    def nvmlDeviceGetPowerManagementLimit(self, handle: str) -> int:
        return self._board("nvmlDeviceGetPowerManagementLimit", handle).limit_mw

    def nvmlDeviceGetPowerManagementLimitConstraints(self, handle: str) -> list[int]:
        return list(self._board("nvmlDeviceGetPowerManagementLimitConstraints", handle).constraints_mw)

    def nvmlDeviceSetPowerManagementLimit(self, handle: str, limit: int) -> None:
        board = self._board("nvmlDeviceSetPowerManagementLimit", handle)
        if not board.constraints_mw[0] <= limit <= board.constraints_mw[1]:
            raise real.NVMLError(real.NVML_ERROR_INVALID_ARGUMENT)
        board.limit_mw = limit

    def nvmlDeviceGetClockInfo(self, handle: str, type: int) -> int:
        board = self._board("nvmlDeviceGetClockInfo", handle)
        return {real.NVML_CLOCK_GRAPHICS: board.graphics_mhz, real.NVML_CLOCK_MEM: board.memory_mhz}[type]

    def nvmlDeviceGetMaxClockInfo(self, handle: str, type: int) -> int:
        self._board("nvmlDeviceGetMaxClockInfo", handle)
        return {real.NVML_CLOCK_GRAPHICS: 2100, real.NVML_CLOCK_MEM: 9501}[type]

    def nvmlDeviceGetUtilizationRates(self, handle: str) -> Any:
        board = self._board("nvmlDeviceGetUtilizationRates", handle)
        return SimpleNamespace(gpu=board.gpu_percent, memory=board.memory_percent)

    def nvmlDeviceGetMemoryInfo(self, handle: str, version: int | None = None) -> Any:
        board = self._board("nvmlDeviceGetMemoryInfo", handle)
        return SimpleNamespace(total=board.total_b, used=board.used_b, free=board.total_b - board.used_b)

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: str) -> int:
        return self._board("nvmlDeviceGetCurrentClocksThrottleReasons", handle).reasons

    def _board(self, function: str, handle: str) -> Board:
        self._called(function, handle)
        board = self.boards.get(handle)
        if board is None:
            raise real.NVMLError(real.NVML_ERROR_GPU_IS_LOST)
        if function in board.faults:
            raise real.NVMLError(board.faults[function])
        return board

    def _called(self, function: str, slot: str = "") -> None:
        self.calls.append((function, slot))
        if function in self.faults:
            raise real.NVMLError(self.faults[function])
