"""The introspection data (D-Bus specification, "Introspection Data Format"), made from the table of members."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from gamesad.bus.members import METHODS, PROPERTIES, SIGNALS, Argument, Change
from gamesad.bus.names import INTERFACE, INTROSPECTABLE, OBJECT_PATH, PEER
from gamesad.bus.names import PROPERTIES as PROPERTIES_INTERFACE

_DOCTYPE = (
    '<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"\n'
    ' "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">\n'
)
EMITS_CHANGED = "org.freedesktop.DBus.Property.EmitsChangedSignal"
POLKIT_ACTION = "org.gamesa.Gamesad1.PolkitAction"
_STANDARD = f"""<node>
<interface name="{PROPERTIES_INTERFACE}">
  <method name="Get"><arg name="interface" type="s" direction="in"/><arg name="name" type="s" direction="in"/>
    <arg name="value" type="v" direction="out"/></method>
  <method name="GetAll"><arg name="interface" type="s" direction="in"/>
    <arg name="values" type="a{{sv}}" direction="out"/></method>
  <method name="Set"><arg name="interface" type="s" direction="in"/><arg name="name" type="s" direction="in"/>
    <arg name="value" type="v" direction="in"/></method>
  <signal name="PropertiesChanged"><arg name="interface" type="s"/><arg name="changed" type="a{{sv}}"/>
    <arg name="invalidated" type="as"/></signal>
</interface>
<interface name="{INTROSPECTABLE}">
  <method name="Introspect"><arg name="xml" type="s" direction="out"/></method>
</interface>
<interface name="{PEER}">
  <method name="Ping"/>
  <method name="GetMachineId"><arg name="id" type="s" direction="out"/></method>
</interface>
</node>"""


def introspect(path: str) -> str | None:
    """The XML of our object, or of a parent on the way to it; None for a path that is neither."""
    if path == OBJECT_PATH:
        node = ET.XML(_STANDARD)
        node.insert(0, _interface())
    else:
        above = path.rstrip("/") + "/"
        if not OBJECT_PATH.startswith(above):
            return None
        node = ET.Element("node")
        ET.SubElement(node, "node", name=OBJECT_PATH.removeprefix(above).split("/")[0])
    ET.indent(node)
    return _DOCTYPE + ET.tostring(node, encoding="unicode") + "\n"


def _interface() -> ET.Element:
    interface = ET.Element("interface", name=INTERFACE)
    for prop in PROPERTIES:
        element = ET.SubElement(interface, "property", name=prop.name, type=prop.signature, access="read")
        ET.SubElement(element, "annotation", name=EMITS_CHANGED, value="true")
    for method in METHODS:
        element = ET.SubElement(interface, "method", name=method.name)
        _add(element, method.ins, "in")
        if method.out is not None:
            _add(element, (method.out,), "out")
        if isinstance(method, Change):
            ET.SubElement(element, "annotation", name=POLKIT_ACTION, value=method.action)
    for signal in SIGNALS:
        _add(ET.SubElement(interface, "signal", name=signal.name), signal.arguments, "")
    return interface


def _add(element: ET.Element, parts: tuple[Argument, ...], direction: str) -> None:
    for part in parts:
        arg = ET.SubElement(element, "arg", name=part.name, type=part.signature)
        if direction:
            arg.set("direction", direction)
