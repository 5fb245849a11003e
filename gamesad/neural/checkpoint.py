"""What was learnt, as one file: an npz without objects or compression, checked as a whole before any of it is believed.

Members are ``header`` (JSON, as bytes), ``checksum`` (BLAKE2b over everything else) and ``MODEL/NAME`` for each array.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import math
import os
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Arrays, Unusable

SCHEMA = 1
NAME = "models.npz"
SIZE_MOST = 32 << 20
_MEMBERS_MOST = 2000
_HEADER_MOST = 10_000
_KINDS = "biufU"
_ASIDE_MOST = 10
_BYTES = np.uint8

Models = Mapping[str, Arrays]
"""Each model's state by the model's name."""


@dataclass(frozen=True, slots=True)
class Header:
    """Whose models these are, since when they learn, and when they were saved (seconds since 1970)."""

    machine: str
    seed: int
    since_s: float
    saved_s: float = 0.0
    schema: int = SCHEMA


def pack(header: Header, models: Models) -> bytes:
    members = {f"{model}/{name}": array for model, state in models.items() for name, array in state.items()}
    text = np.frombuffer(json.dumps(asdict(header)).encode(), _BYTES)
    members["header"] = text
    members["checksum"] = _checksum(members)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in members.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), _npy(array))
    return file.getvalue()


def unpack(data: bytes, *, machine: str) -> tuple[Header, Models]:
    """Unusable: anything at all about it is not as ``pack`` writes it, or it is of another machine."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        raise Unusable(f"it is damaged ({error})") from error
    checksum, text = members.pop("checksum", None), members.get("header")
    if checksum is None or text is None or not np.array_equal(checksum, _checksum(members)):
        raise Unusable("it is damaged (its checksum is wrong)")
    del members["header"]
    header = _header(text.tobytes())
    if header.machine != machine:
        raise Unusable(f"it is of another machine ({header.machine})")
    models: dict[str, dict[str, NDArray[np.generic]]] = {}
    for member, array in members.items():
        model, _, name = member.partition("/")
        models.setdefault(model, {})[name] = array
    return header, models


def read(path: str) -> bytes | None:
    """The file's bytes, None without one. OSError: it cannot be read; Unusable: it is no file, or too large for one."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise Unusable("it is a link or a socket, not a file") from error
        raise
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise Unusable("it is not a file")
        if status.st_size > SIZE_MOST:
            raise Unusable(f"it is larger than {SIZE_MOST >> 20} MiB")
        return os.read(handle, status.st_size)
    finally:
        os.close(handle)


def set_aside(path: str) -> str:
    """Renames it, and gives the new name; of ten kept so the last is replaced. OSError."""
    names = [f"{path}.set-aside{number or ''}" for number in range(_ASIDE_MOST)]
    name = next((name for name in names if not os.path.lexists(name)), names[-1])
    os.rename(path, name)
    return name


def _members(archive: zipfile.ZipFile) -> dict[str, NDArray[np.generic]]:
    """Every array; nothing is unpacked or allocated that is larger than the file itself."""
    infos = archive.infolist()
    if len(infos) > _MEMBERS_MOST or sum(info.file_size for info in infos) > SIZE_MOST:
        raise ValueError("it holds too much")
    found: dict[str, NDArray[np.generic]] = {}
    for info in infos:
        name = info.filename.removesuffix(".npy")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or name in found:
            raise ValueError(f"{info.filename!r} is not as gamesad writes it")
        found[name] = _array(archive.read(info))
    return found


def _npy(array: NDArray[np.generic]) -> bytes:
    """As numpy.lib.format has it, version 1.0; numpy's own takes as long for one header as this for a small array."""
    if array.dtype.kind not in _KINDS:
        raise ValueError(f"an array of {array.dtype} cannot be kept")
    head = repr({"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}).encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + array.tobytes()


def _array(data: bytes) -> NDArray[np.generic]:
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("an array of another format")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=_HEADER_MOST)
    begin, size = file.tell(), math.prod(shape) * dtype.itemsize
    if dtype.kind not in _KINDS or dtype.hasobject or fortran or size != len(data) - begin:
        raise ValueError("an array that is not what its header says")
    return np.frombuffer(memoryview(data)[begin:], dtype).reshape(shape).copy()


def _header(text: bytes) -> Header:
    try:
        found = json.loads(text)
        schema = found.get("schema")
        if schema != SCHEMA:
            raise Unusable(f"it is of schema {schema!r}, not {SCHEMA}")
        return Header(str(found["machine"]), int(found["seed"]), float(found["since_s"]), float(found["saved_s"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unusable("it is damaged (its header)") from error


def _checksum(members: Arrays) -> NDArray[np.uint8]:
    total = hashlib.blake2b(digest_size=32)
    for name in sorted(members):
        array = members[name]
        total.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        total.update(np.ascontiguousarray(array).data)
    return np.frombuffer(total.digest(), _BYTES)
