"""What a client sees: members, their types, signals, and the contract in docs/org.gamesa.Gamesad1.xml."""

from __future__ import annotations

import asyncio
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from dbus_next.signature import Variant

from gamesad.bus import names
from gamesad.bus.members import METHODS, PROPERTIES, SIGNALS, Change
from tests.support.bus_client import Refused, client
from tests.support.memory_service import MemoryService
from tests.support.private_bus import ROOT, PrivateBus

pytestmark = pytest.mark.usefixtures("server")
CONTRACT = ROOT / "docs" / "org.gamesa.Gamesad1.xml"


def members(xml: str) -> set[tuple[str, ...]]:
    """Every member of our interface with its arguments and annotations, in a form that can be compared."""
    interface = ET.fromstring(xml).find(f"interface[@name='{names.INTERFACE}']")
    assert interface is not None
    found = set()
    for member in interface:
        if isinstance(member.tag, str):
            parts = [ET.tostring(part, encoding="unicode").strip() for part in member if isinstance(part.tag, str)]
            found.add((member.tag, *(f"{key}={value}" for key, value in sorted(member.items())), *parts))
    return {tuple(part.replace(" />", "/>") for part in row) for row in found}


def test_the_daemon_introspects_what_the_documented_contract_says(bus: PrivateBus) -> None:
    async def introspected() -> str:
        async with client(bus, "nobody") as anybody:
            return str(await anybody.call("Introspect", interface=names.INTROSPECTABLE))

    said = members(asyncio.run(introspected()))
    assert said == members(CONTRACT.read_text())
    assert len(said) == len(METHODS) + len(PROPERTIES) + len(SIGNALS)


def test_every_member_of_the_contract_has_prose() -> None:
    root = ET.fromstring(CONTRACT.read_text(), ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
    interface = root.find("interface")
    assert interface is not None
    comment = ""
    for element in interface:
        if element.get("name") is None:  # a comment
            comment = element.text or ""
        else:
            assert comment.strip().startswith(f"{element.get('name')}: "), element.get("name")
            comment = ""


def test_polkit_knows_every_action_and_asks_as_the_contract_says() -> None:
    policy = ET.parse(ROOT / "systemd" / "org.gamesa.Gamesad1.policy").getroot()
    defaults = {}
    for action in policy.iter("action"):
        asked = tuple(action.findtext(f"defaults/allow_{who}") for who in ("any", "inactive", "active"))
        defaults[action.get("id")] = asked
        assert action.findtext("message")
        assert action.findtext("description")
    assert set(defaults) == {method.action for method in METHODS if isinstance(method, Change)}
    freely = {names.ACTION_SET_PROFILE, names.ACTION_HOLD_PROFILE, names.ACTION_SET_LIMIT, names.ACTION_HINT_CRYSTAL}
    for name, answers in defaults.items():
        assert answers == (("no", "no", "yes") if name in freely else ("auth_admin_keep",) * 3), name


def test_anybody_may_read_everything(bus: PrivateBus) -> None:
    async def read() -> None:
        expected = MemoryService()
        async with client(bus, "nobody") as anybody:
            status = await anybody.call("GetStatus")
            assert status["Temperatures"] == expected.status()["Temperatures"]
            assert status["Power"] == {"package-0": 17.3}
            assert status["Rejected"] == []
            assert await anybody.call("ListSensors") == expected.sensors()
            assert (await anybody.call("ListTunables"))[0]["Choices"] == ["powersave", "performance"]
            assert len(await anybody.call("GetDecisions", "u", 2)) == 2
            points = await anybody.call("GetHistory", "sttu", "hwmon.test-0.temp1", 5, 0, 2)
            assert points == [[5, 1.0, 2.0, 3.5], [6, 1.0, 2.0, 3.5]]
            assert (await anybody.call("CrystalStats"))["Tiers"] == {"hot": 4096, "cold": 0}
            values = await anybody.properties()
            assert list(values) == [prop.name for prop in PROPERTIES]
            for name, value in values.items():
                one = await anybody.call("Get", "ss", names.INTERFACE, name, interface=names.PROPERTIES)
                assert one == value, name

    asyncio.run(read())


def test_a_change_is_readable_when_the_call_returns_and_is_signalled_with_values(bus: PrivateBus) -> None:
    async def change() -> None:
        async with client(bus) as root, client(bus, "nobody") as watcher:
            await watcher.listen()
            await root.call("SetProfile", "s", "gaming")
            assert (await root.call("GetStatus"))["ActiveProfile"] == "gaming"
            assert await watcher.signal("ProfileChanged") == ["gaming", "selected by uid 0"]
            interface, changed, invalidated = await watcher.signal("PropertiesChanged")
            assert (interface, invalidated) == (names.INTERFACE, [])
            assert changed == {"ActiveProfile": "gaming", "SelectedProfile": "gaming"}
            await root.call("SetProfile", "s", "balanced")

    asyncio.run(change())


def test_a_layout_and_a_hint_reach_the_service(bus: PrivateBus) -> None:
    async def ask() -> None:
        async with client(bus) as root:
            assert await root.call("ApplyLayout", "s", '{"order": []}') == {"Moved": 1, "Plan": '{"order": []}'}
            await root.call("CompactCrystal")
            before = (await root.call("CrystalStats"))["Hinted"]
            await root.call("CrystalHint", "at", [0x7FFF1000, 2**64 - 1])
            assert (await root.call("CrystalStats"))["Hinted"] == before + 2

    asyncio.run(ask())


def test_the_models_are_asked_saved_reset_and_given_their_say(bus: PrivateBus) -> None:
    async def ask() -> None:
        async with client(bus, "nobody") as anybody, client(bus) as root:
            told = await anybody.call("NeuralStatus")
            assert told["Forecast"]["Horizons"] == [1, 2, 3, 4, 5]
            assert told["Forecast"]["Sensors"][0]["Members"] == {"persistence": 0.25, "ridge": 0.75}
            assert (told["Policy"]["Mode"], told["Policy"]["Proposals"]) == ("shadow", [])
            assert told["Anomalies"]["Active"][0]["Active"] is True
            before = told["Life"]["Checkpoints"]
            await root.call("CheckpointModels")
            await root.call("SetPolicyMode", "s", "advise")
            await root.call("ResetModels", "s", "forecast")
            told = await anybody.call("NeuralStatus")
            assert (told["Life"]["Checkpoints"], told["Policy"]["Mode"]) == (before + 1, "advise")
            assert told["Life"]["Reset"][-1] == "forecast"
            await root.call("SetPolicyMode", "s", "shadow")

    asyncio.run(ask())


def test_every_signal_arrives_with_the_types_of_the_contract(bus: PrivateBus) -> None:
    async def change() -> None:
        async with client(bus) as root:
            await root.listen()
            await root.call("SetTunable", "svu", "cpufreq.policy0.scaling_governor", Variant("s", "powersave"), 5)
            [decision] = await root.signal("DecisionMade")
            assert decision["Settings"] == {"cpufreq.policy0.scaling_governor": "powersave"}
            await root.call("SetLimit", "sd", "hwmon.test-0.temp1", 70.0)
            [alert] = await root.signal("ThermalAlert")
            assert (alert["Limit"], alert["Active"]) == (70.0, True)
            await root.call("ClearLimit", "s", "hwmon.test-0.temp1")
            await root.call("ResetModels", "s", "anomaly")
            [anomaly] = await root.signal("AnomalyDetected")
            assert (anomaly["Score"], anomaly["Active"], anomaly["Until"]) == (3.5, False, 9.5)
            await root.call("Pause", "u", 3)
            [status] = await root.signal("StatusChanged")
            assert status["Mode"] == "paused 3"
            await root.call("Resume")
            await root.call("ResetTunable", "s", "cpufreq.policy0.scaling_governor")

    asyncio.run(change())


@pytest.mark.parametrize(
    ("error", "path", "interface", "member", "signature", "body"),
    [
        ("UnknownMethod", names.OBJECT_PATH, names.INTERFACE, "Explode", "", ()),
        ("UnknownMethod", names.OBJECT_PATH, names.PROPERTIES, "Explode", "", ()),
        ("UnknownMethod", "/org/gamesa", names.INTERFACE, "GetStatus", "", ()),
        ("UnknownObject", "/org/gamesa/Gamesad2", names.INTERFACE, "GetStatus", "", ()),
        ("UnknownObject", "/org/gamesa/Gamesad1/x", names.INTROSPECTABLE, "Introspect", "", ()),
        ("UnknownProperty", names.OBJECT_PATH, names.PROPERTIES, "Get", "ss", (names.INTERFACE, "Colour")),
        ("UnknownInterface", names.OBJECT_PATH, names.PROPERTIES, "Get", "ss", ("org.example.Other", "Mode")),
        ("UnknownInterface", names.OBJECT_PATH, names.PROPERTIES, "GetAll", "s", ("org.example.Other",)),
        ("InvalidArgs", names.OBJECT_PATH, names.PROPERTIES, "Get", "s", ("Mode",)),
    ],
)
def test_what_is_not_there_is_named(
    bus: PrivateBus, error: str, path: str, interface: str, member: str, signature: str, body: tuple[str, ...]
) -> None:
    async def ask() -> None:
        async with client(bus) as root:
            with pytest.raises(Refused) as refused:
                await root.call(member, signature, *body, interface=interface, path=path)
            assert refused.value.error_name == f"org.freedesktop.DBus.Error.{error}"

    asyncio.run(ask())


def test_properties_cannot_be_set_even_by_root(bus: PrivateBus) -> None:
    async def ask() -> None:
        async with client(bus) as root:
            with pytest.raises(Refused, match="read-only") as refused:
                body = (names.INTERFACE, "ActiveProfile", Variant("s", "gaming"))
                await root.call("Set", "ssv", *body, interface=names.PROPERTIES)
            assert refused.value.name == "PropertyReadOnly"
            assert (await root.properties())["ActiveProfile"] == "balanced"

    asyncio.run(ask())


def test_the_way_to_the_object_can_be_walked(bus: PrivateBus) -> None:
    async def walk() -> str:
        path = "/"
        async with client(bus, "nobody") as anybody:
            while path != names.OBJECT_PATH:
                xml = await anybody.call("Introspect", interface=names.INTROSPECTABLE, path=path)
                [child] = ET.fromstring(xml).findall("node")
                path = f"{path.rstrip('/')}/{child.get('name')}"
            await anybody.call("Ping", interface=names.PEER)
            return str(await anybody.call("GetMachineId", interface=names.PEER))

    assert asyncio.run(walk()) == Path("/etc/machine-id").read_text().strip()
