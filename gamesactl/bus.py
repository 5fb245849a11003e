"""The client's side of the bus: the only place in gamesactl that knows dbus_next.

Every call is bounded in time and ends with an answer or a ClientError; dbus_next itself waits for ever once a
connection is lost. Everything is plain data outside: no Variant leaves this module. Without dbus_next the
import of this module raises NoLibrary.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from types import FrameType
from typing import Any, TypeVar

from gamesactl.errors import ClientError, Failed, NoLibrary, NotAuthorised, Unreachable, Usage
from gamesactl.terminal import harmless
from gamesad.bus import names

try:
    from dbus_next.aio.message_bus import MessageBus
    from dbus_next.constants import BusType, MessageFlag, MessageType
    from dbus_next.errors import AuthError, InvalidAddressError
    from dbus_next.message import Message
    from dbus_next.signature import Variant

    from gamesad.bus.signatures import plain
except ImportError as error:
    raise NoLibrary("dbus_next cannot be imported (apt install python3-dbus-next)") from error

T = TypeVar("T")
Fields = dict[str, Any]

_CONNECT_S = 5.0
_ALARM_LATER_S = 1.0
_READ_S = 5.0
_CHANGE_S = 20.0
"""A change answers after the tick that applied it, and the daemon may be asking polkit meanwhile."""

_DBUS = "org.freedesktop.DBus"
_ERROR = "org.freedesktop.DBus.Error."
_NOT_RUNNING = "gamesad is not running; start it with: sudo systemctl start gamesad"
_GONE = "gamesad went away before it answered; see: journalctl -u gamesad"
_NO_BUS = "the system bus cannot be reached ({}); start it, or name it in DBUS_SYSTEM_BUS_ADDRESS"
_ASKABLE = (names.ERROR_NOT_AUTHORIZED, _ERROR + "InteractiveAuthorizationRequired")


class Gamesad:
    """A connection to the daemon. Made by ``connect``, from a MessageBus (which is only partly typed, hence Any).

    After ``follow``, ``changed`` is set when the daemon decides, alerts, changes a property, comes or goes. ``gone`` is
    done, and ``changed`` set, when the bus is lost. ``heard`` gets the name and the arguments of each signal.
    """

    def __init__(self, bus: Any) -> None:
        self._bus = bus
        self._owner = ""
        self.heard: Callable[[str, list[Any]], None] | None = None
        self.changed = asyncio.Event()
        self.gone: asyncio.Task[None] = asyncio.create_task(_disconnected(bus))
        self.gone.add_done_callback(lambda _task: self.changed.set())

    async def status(self) -> Fields:
        return await self._dictionary("GetStatus")

    async def sensors(self) -> list[Fields]:
        return await self._dictionaries("ListSensors")

    async def tunables(self) -> list[Fields]:
        return await self._dictionaries("ListTunables")

    async def decisions(self, count: int) -> list[Fields]:
        return await self._dictionaries("GetDecisions", "u", count)

    async def history(
        self, sensor: str, since_us: int, until_us: int, points: int
    ) -> list[tuple[int, float, float, float]]:
        """Time in µs, minimum, mean, maximum; ``points`` 0 for all there are."""
        body = await self._call("GetHistory", "sttu", sensor, since_us, until_us, points, timeout_s=_CHANGE_S)
        return [(int(row[0]), float(row[1]), float(row[2]), float(row[3])) for row in _only(body, list)]

    async def crystal_stats(self) -> Fields:
        return await self._dictionary("CrystalStats")

    async def compact_crystal(self) -> None:
        await self._change("CompactCrystal")

    async def apply_layout(self, plan: str) -> Fields:
        """What the daemon did with it."""
        return dict(_only(await self._change("ApplyLayout", "s", plan), dict))

    async def neural_status(self) -> Fields:
        return await self._dictionary("NeuralStatus")

    async def checkpoint_models(self) -> None:
        await self._change("CheckpointModels")

    async def reset_models(self, which: str) -> None:
        await self._change("ResetModels", "s", which)

    async def set_policy_mode(self, mode: str) -> None:
        await self._change("SetPolicyMode", "s", mode)

    async def properties(self) -> Fields:
        """All properties of the interface, by name."""
        return await self._dictionary("GetAll", "s", names.INTERFACE, interface=names.PROPERTIES)

    async def set_profile(self, name: str) -> None:
        await self._change("SetProfile", "s", name)

    async def hold_profile(self, profile: str, reason: str, application_id: str) -> int:
        """The cookie. The hold ends with this connection."""
        body = await self._change("HoldProfile", "sss", profile, reason, application_id)
        return int(_only(body, int))

    async def release_profile(self, cookie: int) -> None:
        await self._change("ReleaseProfile", "u", cookie)

    async def set_tunable(self, name: str, value: str | int, revert_after_s: int) -> None:
        variant = Variant("s", value) if isinstance(value, str) else Variant("x", value)
        await self._change("SetTunable", "svu", name, variant, revert_after_s)

    async def confirm_tunable(self, name: str) -> None:
        await self._change("ConfirmTunable", "s", name)

    async def reset_tunable(self, name: str) -> None:
        await self._change("ResetTunable", "s", name)

    async def set_limit(self, name: str, value: float) -> None:
        await self._change("SetLimit", "sd", name, value)

    async def clear_limit(self, name: str) -> None:
        await self._change("ClearLimit", "s", name)

    async def pause(self, seconds: int) -> None:
        await self._change("Pause", "u", seconds)

    async def resume(self) -> None:
        await self._change("Resume")

    async def reload_config(self) -> None:
        await self._change("ReloadConfig")

    async def holds(self, cookie: int) -> bool:
        """Whether the daemon still has this hold."""
        body = await self._call("Get", "ss", names.INTERFACE, "Holds", timeout_s=_READ_S, interface=names.PROPERTIES)
        return any(hold.get("Cookie") == cookie for hold in _only(body, list))

    async def follow(self) -> None:
        """From now on ``changed`` is set. Unreachable when the daemon is not there."""
        await self._bus_call("AddMatch", f"type='signal',sender='{names.BUS_NAME}',path='{names.OBJECT_PATH}'")
        await self._bus_call(
            "AddMatch", f"type='signal',sender='{_DBUS}',member='NameOwnerChanged',arg0='{names.BUS_NAME}'"
        )
        owner = await self._bus_call("GetNameOwner", names.BUS_NAME)
        self._owner = str(_only(owner, str))
        self._bus.add_message_handler(self._heard)

    @property
    def present(self) -> bool:
        """Whether the daemon that was there at ``follow`` is still the same one."""
        return bool(self._owner) and not self.gone.done()

    def _heard(self, message: Message) -> None:
        """Signals only; anybody may send one to us, so the sender is looked at."""
        if message.message_type is not MessageType.SIGNAL:
            return
        if message.sender == _DBUS and message.member == "NameOwnerChanged" and message.body[0] == names.BUS_NAME:
            self._owner = ""
            self.changed.set()
        elif message.sender == self._owner and message.path == names.OBJECT_PATH and message.member != "StatusChanged":
            self.changed.set()
            if self.heard is not None:
                self.heard(str(message.member), [plain(value) for value in message.body])

    async def _dictionary(
        self, member: str, signature: str = "", *body: object, interface: str = names.INTERFACE
    ) -> Fields:
        return dict(_only(await self._call(member, signature, *body, timeout_s=_READ_S, interface=interface), dict))

    async def _dictionaries(self, member: str, signature: str = "", *body: object) -> list[Fields]:
        return [
            one
            for one in _only(await self._call(member, signature, *body, timeout_s=_READ_S), list)
            if isinstance(one, dict)
        ]

    async def _change(self, member: str, signature: str = "", *body: object) -> list[Any]:
        """Asks without a word first; if that is refused somebody may be asked for a password, in their own time."""
        try:
            return await self._call(member, signature, *body, timeout_s=_CHANGE_S)
        except NotAuthorised as refusal:
            if refusal.name not in _ASKABLE or os.geteuid() == 0:
                raise
        from gamesactl.password import password_agent  # noqa: PLC0415 - rarely needed

        with password_agent():
            return await self._call(
                member, signature, *body, timeout_s=None, flags=MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION
            )

    async def _call(
        self,
        member: str,
        signature: str = "",
        *body: object,
        timeout_s: float | None,
        interface: str = names.INTERFACE,
        flags: MessageFlag = MessageFlag.NONE,
    ) -> list[Any]:
        message = Message(
            destination=names.BUS_NAME, path=names.OBJECT_PATH, interface=interface, member=member,
            signature=signature, body=list(body), flags=flags,
        )  # fmt: skip
        return await self._answer(message, timeout_s)

    async def _bus_call(self, member: str, argument: str) -> list[Any]:
        message = Message(
            destination=_DBUS,
            path="/org/freedesktop/DBus",
            interface=_DBUS,
            member=member,
            signature="s",
            body=[argument],
        )
        return await self._answer(message, _READ_S)

    async def _answer(self, message: Message, timeout_s: float | None) -> list[Any]:
        call = asyncio.ensure_future(self._bus.call(message))
        try:
            await asyncio.wait({call, self.gone}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                raise Unreachable(_GONE if self.gone.done() else _silent(timeout_s))
            reply = call.result()
        except (UnicodeError, struct.error) as error:
            raise Usage(f"a value on the command line cannot be sent: {error}") from error
        finally:
            call.cancel()
        if reply is None:
            raise Unreachable(_GONE)
        if reply.message_type is MessageType.ERROR:
            raise _error(reply, message.member)
        return [plain(value) for value in reply.body]


@contextlib.asynccontextmanager
async def connect() -> AsyncIterator[Gamesad]:
    """Raises Unreachable when there is no bus; whether gamesad is on it shows at the first call."""
    try:
        with _alarm(_CONNECT_S + _ALARM_LATER_S):
            bus: Any = await asyncio.wait_for(MessageBus(bus_type=BusType.SYSTEM).connect(), _CONNECT_S)
    except TimeoutError:
        raise Unreachable(_NO_BUS.format(f"no answer in {_CONNECT_S:.0f} s")) from None
    except (OSError, EOFError, InvalidAddressError, AuthError, UnicodeError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else harmless(error)
        raise Unreachable(_NO_BUS.format(why or type(error).__name__)) from None
    gamesad = Gamesad(bus)
    try:
        yield gamesad
    finally:
        bus.disconnect()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(gamesad.gone, 1.0)


def run(work: Callable[[Gamesad], Awaitable[T]]) -> T:
    """Connects, does the work, disconnects."""

    async def connected() -> T:
        async with connect() as gamesad:
            return await work(gamesad)

    return start(connected())


def start(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end, in silence: what dbus_next and asyncio log is told as a ClientError already."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        return asyncio.run(work)
    finally:
        logging.disable(before)


async def _disconnected(bus: Any) -> None:
    """Done when the connection is lost; why does not matter to anybody here."""
    with contextlib.suppress(OSError, EOFError):
        await bus.wait_for_disconnect()


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """TimeoutError after this time, also inside code that never returns to the event loop.

    A bus that closes the connection while we log in leaves dbus_next 0.2.3 in a loop that awaits nothing:
    asyncio's own timeouts never fire there.
    """

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _silent(timeout_s: float | None) -> str:
    return f"gamesad did not answer in {timeout_s or 0:.0f} s; see: systemctl status gamesad"


def _only(body: list[Any], kind: type) -> Any:
    if len(body) != 1 or not isinstance(body[0], kind):
        raise Failed("gamesad answered in a form that this gamesactl does not know; compare: gamesactl version")
    return body[0]


def _error(reply: Message, member: str) -> ClientError:
    """The D-Bus error as the exit code and the sentence it stands for."""
    name = str(reply.error_name)
    said = (
        harmless(reply.body[0].replace("\n", "; "), 1000).rstrip(".")
        if reply.body and isinstance(reply.body[0], str)
        else ""
    )
    short = name.removeprefix(_ERROR)
    if short in ("ServiceUnknown", "NameHasNoOwner") or short.startswith("Spawn."):
        return Unreachable(_NOT_RUNNING, name)
    if short in ("NoReply", "Disconnected"):
        return Unreachable(_GONE, name)
    if short in ("Timeout", "TimedOut"):
        return Unreachable("gamesad did not answer in time; see: systemctl status gamesad", name)
    if name in _ASKABLE or short == "AccessDenied":
        why = (
            f": {said}" if said and short != "AccessDenied" else " (the bus refused)" if short == "AccessDenied" else ""
        )
        return NotAuthorised(f"not authorised{why}; try it with sudo, or ask your administrator", name)
    if short in ("UnknownMethod", "UnknownInterface", "UnknownObject", "UnknownProperty"):
        return Failed(f"the running gamesad does not offer {member}; compare: gamesactl version", name)
    return Failed(said or f"gamesad could not do it ({name})", name)
