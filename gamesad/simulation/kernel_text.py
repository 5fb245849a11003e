"""How the kernel reads what is written to an attribute: lib/kstrtox.c, lib/vsprintf.c and lib/string_helpers.c.

Every function raises OSError with the errno that the kernel returns.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from typing import NoReturn

_U64_MAX = 2**64 - 1


def refuse(number: int) -> NoReturn:
    """What the kernel's ``return -EINVAL`` becomes on our side of the system call."""
    raise OSError(number, os.strerror(number))


def kstrtoul(text: str, base: int = 0, maximum: int = _U64_MAX) -> int:
    """A whole unsigned number with at most one newline behind it: EINVAL for anything else, ERANGE when too large.

    Base 0 takes ``0x`` for hexadecimal and a leading 0 for octal.
    """
    digits = text.removesuffix("\n").removeprefix("+")
    if not digits.isascii():
        refuse(errno.EINVAL)
    if base in (0, 16) and re.fullmatch(r"0[xX][0-9a-fA-F]+", digits):
        number = int(digits, 16)
    elif base == 0 and re.fullmatch(r"0[0-7]+", digits):
        number = int(digits, 8)
    elif re.fullmatch(r"[0-9]+" if base else r"0|[1-9][0-9]*", digits):
        number = int(digits, 10)
    else:
        refuse(errno.EINVAL)
    if number > maximum:
        refuse(errno.ERANGE)
    return number


def kstrtol(text: str, base: int = 10) -> int:
    """``kstrtoul`` with a sign: 63 bits."""
    negative = text.startswith("-")
    number = kstrtoul(text.removeprefix("-") if negative else text, base, 2**63 - 1)
    return -number if negative else number


def kstrtobool(text: str) -> bool:
    """``y``, ``t``, ``1``, ``on`` or ``n``, ``f``, ``0``, ``off``; only the first letters count."""
    start = text[:2].lower()
    if start[:1] in {"y", "t", "1"} or start == "on":
        return True
    if start[:1] in {"n", "f", "0"} or start == "of":
        return False
    refuse(errno.EINVAL)


def sscanf_unsigned(text: str) -> int:
    """``sscanf("%u")``: the digits at the start; what follows them is ignored."""
    match = re.match(r"\s*([0-9]+)", text)
    if match is None:
        refuse(errno.EINVAL)
    return int(match[1])


def sscanf_signed(text: str) -> int:
    """``sscanf("%ld")``: the number at the start; what follows it is ignored."""
    match = re.match(r"\s*(-?[0-9]+)", text)
    if match is None:
        refuse(errno.EINVAL)
    return int(match[1])


def sscanf_word(text: str, size: int) -> str:
    """``sscanf("%15s")``: the first word, cut to ``size``; EINVAL when there is none."""
    words = text.split(maxsplit=1)
    if not words:
        refuse(errno.EINVAL)
    return words[0][:size]


def match_string(text: str, choices: Sequence[str]) -> str:
    """``sysfs_match_string``: exactly one of the choices, one newline allowed behind it."""
    word = text.removesuffix("\n")
    if word not in choices:
        refuse(errno.EINVAL)
    return word
