"""The throttle status in amdgpu's binary table ``gpu_metrics`` (drivers/gpu/drm/amd/include/kgd_pp_interface.h).

Little-endian: u16 size, u8 format revision, u8 content revision, then fields that differ by revision. The driver fills
the table with 0xff before it writes the fields it knows, so all ones means that the driver does not say.

``throttle_status`` (u32) has a meaning of its own on every chip: told is whether a bit is set.
``indep_throttle_status`` (u64, revisions 1.3 and 2.2 to 2.4) means the same on all (amdgpu_smu.h,
SMU_THROTTLER_*_BIT): told is what is set.
Left out are 1.4 and later, whose drivers no longer fill the field in, and 3.x, which counts time instead.
"""

from __future__ import annotations

import struct

_OWN_AT = {(1, 0): 68, (1, 1): 68, (1, 2): 68, (1, 3): 68} | {(2, 0): 112} | {(2, minor): 108 for minor in range(1, 5)}
_COMMON_AT = {(1, 3): 112, (2, 2): 120, (2, 3): 120, (2, 4): 120}
_UNSAID_32, _UNSAID_64 = (1 << 32) - 1, (1 << 64) - 1

_BITS = (
    dict(enumerate(("ppt0", "ppt1", "ppt2", "ppt3", "spl", "fppt", "sppt", "sppt_apu")))
    | dict(enumerate(("tdc_gfx", "tdc_soc", "tdc_mem", "tdc_vdd", "tdc_cvip", "edc_cpu", "edc_gfx", "apcc"), start=16))
    | dict(enumerate(("temp_gpu", "temp_core", "temp_mem", "temp_edge", "temp_hotspot", "temp_soc"), start=32))
    | dict(enumerate(("temp_vr_gfx", "temp_vr_soc", "temp_vr_mem0", "temp_vr_mem1"), start=38))
    | dict(enumerate(("temp_liquid0", "temp_liquid1", "vrhot0", "vrhot1", "prochot_cpu", "prochot_gfx"), start=42))
    | {56: "ppm", 57: "fit"}
)


def revision(table: bytes) -> tuple[int, int]:
    """Format and content revision; ValueError when the table is shorter than it says."""
    if len(table) < 4:
        raise ValueError(table)
    size, form, content = struct.unpack_from("<HBB", table)
    if size < 4 or len(table) < size:
        raise ValueError(table[:4])
    return form, content


def states_throttling(table: bytes) -> bool:
    """Whether this revision says it, and the driver fills it in."""
    try:
        throttle(table)
    except ValueError:
        return False
    return True


def throttle(table: bytes) -> str:
    """``none``, the reasons ("ppt0 temp_hotspot"), or ``throttled`` where only that is told. ValueError: not told."""
    known = revision(table)
    size = int.from_bytes(table[:2], "little")
    common_at, own_at = _COMMON_AT.get(known), _OWN_AT.get(known)
    if common_at is not None and common_at + 8 <= size:
        (status,) = struct.unpack_from("<Q", table, common_at)
        if status != _UNSAID_64:
            named = [name for bit, name in _BITS.items() if status >> bit & 1]
            return " ".join(named) or ("throttled" if status else "none")
    if own_at is not None and own_at + 4 <= size:
        (status,) = struct.unpack_from("<I", table, own_at)
        if status != _UNSAID_32:
            return "throttled" if status else "none"
    raise ValueError(f"gpu_metrics {known[0]}.{known[1]} tells no throttle status")
