"""Every member of org.gamesa.Gamesad1, once: dispatch, authorisation and introspection come from here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gamesad.bus import arguments, names
from gamesad.bus.caller import Caller


class Service(Protocol):
    """What answers: gamesad.service.Service. Raises gamesad.errors; every dictionary is plain data."""

    version: str

    def properties(self) -> dict[str, object]: ...
    def status(self) -> dict[str, object]: ...
    def sensors(self) -> list[dict[str, object]]: ...
    async def tunables(self) -> list[dict[str, object]]: ...
    def decisions(self, count: int) -> list[dict[str, object]]: ...
    def subscribe(self, listener: Callable[[str, object], None]) -> None: ...
    async def set_profile(self, name: str, *, uid: int) -> None: ...
    async def hold_profile(self, profile: str, reason: str, application_id: str, *, owner: str, uid: int) -> int: ...
    async def release_profile(self, cookie: int, *, uid: int) -> None: ...
    async def release_owner(self, owner: str) -> None: ...
    async def set_tunable(self, name: str, value: str | int, revert_after_s: int, *, uid: int) -> None: ...
    async def confirm_tunable(self, name: str) -> None: ...
    async def reset_tunable(self, name: str) -> None: ...
    async def set_limit(self, name: str, value: float, *, uid: int) -> None: ...
    async def clear_limit(self, name: str) -> None: ...
    async def pause(self, seconds: int) -> None: ...
    async def resume(self) -> None: ...
    async def reload_config(self) -> None: ...
    async def history(self, sensor: str, since_us: int, until_us: int, points: int) -> Sequence[object]: ...
    async def crystal_stats(self) -> dict[str, object]: ...
    async def compact_crystal(self) -> None: ...
    async def apply_layout(self, plan: str) -> dict[str, object]: ...
    async def crystal_hint(self, addresses: list[int]) -> None: ...
    async def neural_status(self) -> dict[str, object]: ...
    async def checkpoint_models(self) -> None: ...
    async def reset_models(self, which: str) -> None: ...
    async def set_policy_mode(self, mode: str) -> None: ...
    async def sleep(self) -> None: ...
    async def wake(self) -> None: ...
    async def rival(self, name: str, *, present: bool) -> None: ...


class HoldKeeper(Protocol):
    """Takes and releases holds for callers: gamesad.bus.holds.Holds."""

    async def hold(self, caller: Caller, profile: str, reason: str, application_id: str) -> int: ...
    async def release(self, caller: Caller, cookie: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """One authorised call of a changing method."""

    service: Service
    holds: HoldKeeper
    caller: Caller


@dataclass(frozen=True, slots=True)
class Argument:
    """``check`` gives the value as the service takes it, or raises one of our errors."""

    name: str
    signature: str
    check: Callable[[Any], Any] = arguments.as_is


@dataclass(frozen=True, slots=True)
class Read:
    """A method that changes nothing: everybody may. ``waits``: the answer is awaited, not there at once."""

    name: str
    ins: tuple[Argument, ...]
    out: Argument
    answer: Callable[..., object]
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A method that changes something: ``action`` is asked of polkit first."""

    name: str
    ins: tuple[Argument, ...]
    action: str
    carry_out: Callable[..., Awaitable[object]]
    out: Argument | None = None


@dataclass(frozen=True, slots=True)
class Property:
    """Read-only; PropertiesChanged carries its value."""

    name: str
    signature: str


@dataclass(frozen=True, slots=True)
class Signal:
    name: str
    arguments: tuple[Argument, ...]


_PROFILE = Argument("profile", "s", arguments.name)
_NAME = Argument("name", "s", arguments.name)
_COOKIE = Argument("cookie", "u")

PROPERTIES = (
    Property("Version", "s"),
    Property("ActiveProfile", "s"),
    Property("SelectedProfile", "s"),
    Property("Profiles", "aa{sv}"),
    Property("Holds", "aa{sv}"),
    Property("Mode", "s"),
    Property("ThermalState", "s"),
    Property("LastDecision", "a{sv}"),
    Property("Components", "a{ss}"),
)

METHODS: tuple[Read | Change, ...] = (
    Read("GetStatus", (), Argument("status", "a{sv}"), lambda service: service.status()),
    Read("ListSensors", (), Argument("sensors", "aa{sv}"), lambda service: service.sensors()),
    Read("ListTunables", (), Argument("tunables", "aa{sv}"), lambda service: service.tunables(), waits=True),
    Read(
        "GetDecisions", (Argument("count", "u", arguments.count),), Argument("decisions", "aa{sv}"),
        lambda service, count: service.decisions(count),
    ),
    Read(
        "GetHistory",
        (
            Argument("sensor", "s", arguments.name), Argument("since_us", "t"), Argument("until_us", "t"),
            Argument("max_points", "u", arguments.points),
        ),
        Argument("points", "a(tddd)"),
        lambda service, *said: service.history(*said),
        waits=True,
    ),
    Read("CrystalStats", (), Argument("statistics", "a{sv}"), lambda service: service.crystal_stats(), waits=True),
    Read("NeuralStatus", (), Argument("status", "a{sv}"), lambda service: service.neural_status(), waits=True),
    Change(
        "SetProfile", (_PROFILE,), names.ACTION_SET_PROFILE,
        lambda request, profile: request.service.set_profile(profile, uid=request.caller.uid),
    ),
    Change(
        "HoldProfile",
        (_PROFILE, Argument("reason", "s", arguments.sentence), Argument("application_id", "s", arguments.sentence)),
        names.ACTION_HOLD_PROFILE,
        lambda request, *said: request.holds.hold(request.caller, *said),
        _COOKIE,
    ),
    Change(
        "ReleaseProfile", (_COOKIE,), names.ACTION_HOLD_PROFILE,
        lambda request, cookie: request.holds.release(request.caller, cookie),
    ),
    Change(
        "SetTunable",
        (_NAME, Argument("value", "v", arguments.setting), Argument("revert_after_s", "u")),
        names.ACTION_SET_TUNABLE,
        lambda request, *said: request.service.set_tunable(*said, uid=request.caller.uid),
    ),
    Change(
        "ConfirmTunable", (_NAME,), names.ACTION_SET_TUNABLE,
        lambda request, name: request.service.confirm_tunable(name),
    ),
    Change(
        "ResetTunable", (_NAME,), names.ACTION_SET_TUNABLE,
        lambda request, name: request.service.reset_tunable(name),
    ),
    Change(
        "SetLimit", (_NAME, Argument("value", "d", arguments.finite)), names.ACTION_SET_LIMIT,
        lambda request, *said: request.service.set_limit(*said, uid=request.caller.uid),
    ),
    Change(
        "ClearLimit", (_NAME,), names.ACTION_SET_LIMIT,
        lambda request, name: request.service.clear_limit(name),
    ),
    Change(
        "Pause", (Argument("seconds", "u"),), names.ACTION_PAUSE,
        lambda request, seconds: request.service.pause(seconds),
    ),
    Change("Resume", (), names.ACTION_PAUSE, lambda request: request.service.resume()),
    Change("ReloadConfig", (), names.ACTION_RELOAD_CONFIG, lambda request: request.service.reload_config()),
    Change("CompactCrystal", (), names.ACTION_MANAGE_CRYSTAL, lambda request: request.service.compact_crystal()),
    Change(
        "ApplyLayout", (Argument("plan_json", "s", arguments.plan),), names.ACTION_MANAGE_CRYSTAL,
        lambda request, plan: request.service.apply_layout(plan),
        Argument("report", "a{sv}"),
    ),
    Change(
        "CrystalHint", (Argument("addresses", "at", arguments.addresses),), names.ACTION_HINT_CRYSTAL,
        lambda request, addresses: request.service.crystal_hint(addresses),
    ),
    Change("CheckpointModels", (), names.ACTION_MANAGE_MODELS, lambda request: request.service.checkpoint_models()),
    Change(
        "ResetModels", (Argument("which", "s", arguments.models),), names.ACTION_MANAGE_MODELS,
        lambda request, which: request.service.reset_models(which),
    ),
    Change(
        "SetPolicyMode", (Argument("mode", "s", arguments.policy_mode),), names.ACTION_MANAGE_MODELS,
        lambda request, mode: request.service.set_policy_mode(mode),
    ),
)  # fmt: skip

SIGNALS = (
    Signal("ProfileChanged", (Argument("profile", "s"), Argument("cause", "s"))),
    Signal("DecisionMade", (Argument("decision", "a{sv}"),)),
    Signal("ThermalAlert", (Argument("alert", "a{sv}"),)),
    Signal("AnomalyDetected", (Argument("anomaly", "a{sv}"),)),
    Signal("StatusChanged", (Argument("status", "a{sv}"),)),
)


def signature(parts: tuple[Argument, ...]) -> str:
    """The arguments' types in one text, as a message's head carries it."""
    return "".join(part.signature for part in parts)
