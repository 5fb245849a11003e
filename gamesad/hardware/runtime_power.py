"""Whether a device sleeps (Documentation/power/runtime_pm.rst, ABI/testing/sysfs-devices-power).

The files below ``power/`` belong to the kernel's core, not to the driver: reading them wakes nothing. Nearly every
other attribute of a graphics card wakes it, and keeps it awake for its autosuspend delay when it is awake already.
"""

from __future__ import annotations

from gamesad.hardware.sysfs import Sysfs

ASLEEP = ("suspended", "suspending", "resuming")
"""``error`` and ``unsupported`` are awake: run-time power management has given up there, or was never on."""

_DEFAULT_DELAY_S = 5.0  # amdgpu's; where nothing is stated
_MARGIN_S = 2.0


class RuntimePower:
    """One device. ``status`` is the word last read, empty where the device has none: then it counts as awake."""

    def __init__(self, sysfs: Sysfs, device: str) -> None:
        self._sysfs = sysfs
        self._folder = f"{device}/power"
        self._handle: int | None = None
        self._opened = False
        self.status = ""
        self.since_s = 0.0
        """When it was first seen asleep."""

    def asleep(self, now_s: float) -> bool:
        """Whether it sleeps now. A device that is gone counts as awake: reading it will say so."""
        before = self.status
        self.status = self._read()
        sleeps = self.status in ASLEEP
        if sleeps and before not in ASLEEP:
            self.since_s = now_s
        return sleeps

    def rest_s(self) -> float:
        """How long to leave an idle device alone so that it can fall asleep; 0 where it is not to sleep at all."""
        if not self.status or self.status == "unsupported" or self._text("control") != "auto":
            return 0.0
        try:
            delay_s = int(self._text("autosuspend_delay_ms")) / 1000
        except ValueError:
            delay_s = _DEFAULT_DELAY_S  # it answers EIO where the driver keeps a timer of its own (NVIDIA's)
        return delay_s + _MARGIN_S if delay_s >= 0 else 0.0  # negative: never

    def close(self) -> None:
        if self._handle is not None:
            self._sysfs.close(self._handle)
        self._handle, self._opened = None, False

    def _read(self) -> str:
        try:
            if not self._opened:
                self._opened = True
                self._handle = self._sysfs.open(f"{self._folder}/runtime_status")
            return self._sysfs.pread(self._handle, 32, 0).decode().strip() if self._handle is not None else ""
        except (OSError, UnicodeDecodeError):
            return ""

    def _text(self, file: str) -> str:
        try:
            return self._sysfs.read(f"{self._folder}/{file}")
        except OSError:
            return ""
