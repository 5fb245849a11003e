"""The standard interfaces on our object: Properties (read-only), Introspectable, Peer (D-Bus specification)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gamesad.bus import names
from gamesad.bus.members import PROPERTIES
from gamesad.bus.signatures import variant
from gamesad.errors import Failed, GamesadError

_SIGNATURES = {prop.name: prop.signature for prop in PROPERTIES}
_MACHINE_ID_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")


class UnknownProperty(GamesadError):
    dbus_name = names.UNKNOWN_PROPERTY


class UnknownInterface(GamesadError):
    dbus_name = names.UNKNOWN_INTERFACE


@dataclass(frozen=True, slots=True)
class StandardMethod:
    interface: str
    signature_in: str


STANDARD = {
    "Get": StandardMethod(names.PROPERTIES, "ss"),
    "GetAll": StandardMethod(names.PROPERTIES, "s"),
    "Set": StandardMethod(names.PROPERTIES, "ssv"),
    "Introspect": StandardMethod(names.INTROSPECTABLE, ""),
    "Ping": StandardMethod(names.PEER, ""),
    "GetMachineId": StandardMethod(names.PEER, ""),
}


def get(values: Mapping[str, object], interface: str, name: str) -> Any:
    """One property as a variant."""
    _check(interface)
    if name not in _SIGNATURES or (interface and interface != names.INTERFACE):
        raise UnknownProperty(f"there is no property {name[:256]}")
    return variant(values[name], _SIGNATURES[name])


def get_all(values: Mapping[str, object], interface: str) -> dict[str, Any]:
    """Every property as a variant; the standard interfaces have none."""
    _check(interface)
    return changed(values) if interface in ("", names.INTERFACE) else {}


def changed(values: Mapping[str, object]) -> dict[str, Any]:
    """The properties among these values, as variants."""
    return {name: variant(values[name], kind) for name, kind in _SIGNATURES.items() if name in values}


def machine_id() -> str:
    """This installation's id (machine-id(5))."""
    for path in _MACHINE_ID_FILES:
        try:
            with open(path, encoding="ascii") as file:
                return file.read(64).strip()
        except (OSError, UnicodeDecodeError):
            continue
    raise Failed("this machine has no machine id")


def _check(interface: str) -> None:
    if interface not in ("", names.INTERFACE, *(row.interface for row in STANDARD.values())):
        raise UnknownInterface(f"the object has no interface {interface[:256]}")
