"""NVIDIA's library for its own driver, through nvidia-ml-py (the extra ``nvidia``): one card, every failure an OSError.

Source: NVML's reference (docs.nvidia.com/deploy/nvml-api) and nvidia-ml-py's ``pynvml`` module. Looking a card up by
its PCI address "may initialize additional GPUs as it searches", so the library is opened only while every NVIDIA card
is awake. (nvmlInit itself initializes none. With NVML_INIT_FLAG_NO_ATTACH some drivers count no card: docs/gpus.md.)
An open library may keep a card from sleeping: it is closed whenever the card is to be left alone.
"""

from __future__ import annotations

import errno
import importlib
from collections.abc import Callable, Sequence
from typing import Any

POWER_LIMIT = "/nvml/power_limit"
"""What the path of the power limit's tunable ends with, below the card's device folder. NVML has no files."""

_ERRNOS = {
    "NVML_ERROR_NO_PERMISSION": errno.EPERM,
    "NVML_ERROR_NOT_SUPPORTED": errno.EOPNOTSUPP,
    "NVML_ERROR_FUNCTION_NOT_FOUND": errno.EOPNOTSUPP,
    "NVML_ERROR_DEPRECATED": errno.EOPNOTSUPP,
    "NVML_ERROR_INVALID_ARGUMENT": errno.EINVAL,
    "NVML_ERROR_UNINITIALIZED": errno.ENODEV,
    "NVML_ERROR_DRIVER_NOT_LOADED": errno.ENODEV,
    "NVML_ERROR_LIBRARY_NOT_FOUND": errno.ENODEV,
    "NVML_ERROR_LIB_RM_VERSION_MISMATCH": errno.ENODEV,
    "NVML_ERROR_NOT_FOUND": errno.ENODEV,
    "NVML_ERROR_GPU_NOT_FOUND": errno.ENODEV,
    "NVML_ERROR_GPU_IS_LOST": errno.ENODEV,
    "NVML_ERROR_TIMEOUT": errno.ETIMEDOUT,
    "NVML_ERROR_IN_USE": errno.EBUSY,
    "NVML_ERROR_NO_DATA": errno.ENODATA,
    "NVML_ERROR_NOT_READY": errno.EAGAIN,
    "NVML_ERROR_MEMORY": errno.ENOMEM,
}
"""Everything else is EIO."""

UNSUPPORTED = errno.EOPNOTSUPP


class NotInstalled(OSError):
    """nvidia-ml-py is not there."""


class Nvml:
    """One card. The library is opened by the first question and closed by ``close``; another question opens it again.

    ``may_open``: whether every NVIDIA card is awake now.
    """

    def __init__(self, slot: str, may_open: Callable[[], bool]) -> None:
        self._slot = slot
        self._may_open = may_open
        self._library: Any = None
        self._handle: Any = None

    def ask(self, function: str, *arguments: Any) -> Any:
        """What ``function`` answers for this card. A text that begins with NVML names a constant of the library.

        OSError for every failure, with NVML's own words: EOPNOTSUPP for what this card or driver does not offer,
        ENODEV when card, driver or library are not there (and the library is closed).
        """
        library, handle = self._open()
        try:
            asked = getattr(library, function)
            return asked(handle, *[_constant(library, argument) for argument in arguments])
        except AttributeError as error:
            raise OSError(UNSUPPORTED, f"this nvidia-ml-py has no {error.name}") from error
        except library.NVMLError as error:
            failure = _failure(library, error)
            if failure.errno == errno.ENODEV:
                self.close()
            raise failure from error

    @property
    def is_open(self) -> bool:
        return self._handle is not None

    def constant(self, name: str) -> Any:
        """A constant of the library; None when this version has none of the name."""
        return getattr(self._library, name, None)

    def close(self) -> None:
        library, self._library, self._handle = self._library, None, None
        if library is not None:
            try:
                library.nvmlShutdown()
            except library.NVMLError:  # the driver is gone, and its library with it
                return

    def _open(self) -> tuple[Any, Any]:
        if self._library is None:
            if not self._may_open():
                raise OSError(errno.EHOSTDOWN, "an NVIDIA card sleeps")
            library = _load()
            try:
                library.nvmlInit()
            except library.NVMLError as error:
                raise _failure(library, error) from error
            self._library = library
        if self._handle is None:
            try:
                self._handle = self._library.nvmlDeviceGetHandleByPciBusId(self._slot)
            except self._library.NVMLError as error:
                failure = _failure(self._library, error)
                self.close()
                raise failure from error
        return self._library, self._handle


def field_value(values: Sequence[Any]) -> float:
    """The one value of nvmlDeviceGetFieldValues; EOPNOTSUPP where the card does not have the field."""
    if len(values) != 1 or values[0].nvmlReturn != 0:
        raise OSError(UNSUPPORTED, "the card does not have this field")
    return float(values[0].value.uiVal)


def _load() -> Any:
    try:
        return importlib.import_module("pynvml")
    except ImportError as error:
        raise NotInstalled(errno.ENOENT, "nvidia-ml-py is not installed") from error


def _constant(library: Any, argument: Any) -> Any:
    if isinstance(argument, str) and argument.startswith("NVML"):
        return getattr(library, argument)
    if isinstance(argument, list):
        return [_constant(library, one) for one in argument]
    return argument


def _failure(library: Any, error: Any) -> OSError:
    codes = {getattr(library, name, None): number for name, number in _ERRNOS.items()}
    return OSError(codes.get(error.value, errno.EIO), f"NVML: {error}")
