"""Plain data to D-Bus values and back. The bus's type follows from Python's, except where the contract names another.

bool b, int x, float d, str s, dict a{sv}, a list by its first item (as, ad, ax, aa{sv}), an empty list aa{sv}.
"""

from __future__ import annotations

from typing import Any

from dbus_next.signature import Variant

_COOKIE = "Cookie"
_TEXT_LISTS = frozenset({"Choices", "Rejected", "Absent"})
"""Keys under which an empty list, which looks like nothing, is one of texts."""

_TYPES: tuple[tuple[type, str], ...] = ((bool, "b"), (str, "s"), (int, "x"), (float, "d"), (dict, "a{sv}"))


def variant(value: object, signature: str = "") -> Variant:
    """The value as a variant, of ``signature`` where one is given. TypeError for what has no type on the bus."""
    signature = signature or signature_of(value)
    return Variant(signature, body(value, signature))


def body(value: object, signature: str) -> Any:
    """The value in the form in which dbus-next takes it for this signature."""
    match value:
        case str():
            return clean(value)
        case dict() if signature == "a{sv}":
            return {clean(key): variant(item, signature_of(item, key)) for key, item in value.items()}
        case dict():
            return {clean(key): body(item, signature[3:-1]) for key, item in value.items()}
        case list() | tuple():
            return list(value) if signature.startswith("(") else [body(item, signature[1:]) for item in value]
        case float() if signature != "d":
            return int(value)
    return value


def plain(value: object) -> Any:
    """What came over the bus, without variants: str, bool, int, float, list, dict."""
    if isinstance(value, Variant):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def clean(text: str) -> str:
    """The text as the bus may carry it: the bus ends connections that send NUL or what is not Unicode."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode(errors="replace").decode()


def signature_of(value: object, key: str = "") -> str:
    """The type on the bus of a value under this key. TypeError for what has none."""
    if key == _COOKIE and type(value) is int and 0 <= value < 2**32:
        return "u"
    for kind, signature in _TYPES:
        if isinstance(value, kind):
            return signature
    if isinstance(value, list | tuple):
        if not value and key in _TEXT_LISTS:
            return "as"
        return "a" + (signature_of(value[0]) if value else "a{sv}")
    raise TypeError(f"{type(value).__name__} has no type on the bus")
