"""Our object on one link: finds the member in the table, asks polkit, calls the service, answers.

An error of ours goes to the caller by its D-Bus name; anything else is logged and answered Failed, without its text.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from dbus_next.constants import MessageFlag
from dbus_next.message import Message

from gamesad.bus import names
from gamesad.bus.arguments import InvalidArgs
from gamesad.bus.caller import Callers
from gamesad.bus.holds import Holds
from gamesad.bus.introspection import introspect
from gamesad.bus.link import Link, Ready
from gamesad.bus.marshal import marshal
from gamesad.bus.members import METHODS, Argument, Change, Read, Request, Service, signature
from gamesad.bus.polkit import Polkit
from gamesad.bus.signatures import body, clean
from gamesad.bus.standard import STANDARD, get, get_all, machine_id
from gamesad.bus.wire import NO_REPLY_EXPECTED, Head
from gamesad.errors import Busy, Failed, GamesadError

MAX_PENDING_PER_USER = 32
MAX_PENDING = 512
_LOG = logging.getLogger(__name__)
_FOLDERS = re.compile(r"(?<![\w.])/(?:[^\s/:'\"]+/)+")
_METHODS = {method.name: method for method in METHODS}
_AT_HAND = {
    (names.OBJECT_PATH.encode(), names.INTERFACE.encode(), method.name.encode(), b""): method
    for method in METHODS
    if isinstance(method, Read) and not method.ins and not method.waits
}


class Interface:
    """Serves the service to everybody on the link."""

    def __init__(self, link: Link, service: Service) -> None:
        self._link = link
        self._service = service
        self._callers = Callers(link)
        self._polkit = Polkit(link)
        self._holds = Holds(service, self._callers)
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._pending: dict[int, int] = {}
        self._said: dict[str, tuple[object, bytes]] = {}
        self._logged: set[str] = set()

    def handle(self, message: Message) -> None:
        """Answers a method call, now or when it is carried out. Never raises."""
        with self._errors_answered(message):
            self._dispatch(message)

    def at_hand(self, head: Head) -> Ready:
        """The answer to a reading method without arguments, made once for as long as the service says the same.

        None for every other call, and for those that end in an error: ``handle`` gets them.
        """
        method = _AT_HAND.get((head.path, head.interface, head.member, head.signature))
        if method is None or head.flags & NO_REPLY_EXPECTED:
            return None
        try:
            answer = method.answer(self._service)
            said, ready = self._said.get(method.name, (None, b""))
            if said != answer:
                ready = marshal(answer, method.out.signature)
                self._said[method.name] = (answer, ready)
        except Exception:  # noqa: BLE001 - `handle` meets the same error, logs it and answers
            return None
        return method.out.signature, ready

    def left(self, name: str) -> None:
        """Somebody has left the bus: what they still ask for is void, and what they hold ends."""
        for task, sender in self._tasks.items():
            if sender == name and task in self._asking:
                task.cancel()
        self._callers.forget(name)
        self.start(self._holds.left(name))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Does something nobody waits for; it ends with the link."""
        self._start(self._unanswered(work), sender="")

    async def close(self) -> None:
        """The link is lost: nobody is there to be answered, and every hold has lost its holder."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._callers.close()
        with self._errors_answered(None):
            await self._holds.all_left()

    # ---- dispatch

    def _dispatch(self, message: Message) -> None:
        interface, member, at_home = message.interface, message.member, message.path == names.OBJECT_PATH
        if interface in (names.INTERFACE, None) and member in _METHODS and at_home:
            method = _METHODS[member]
            arguments = _read_arguments(message, method.ins)
            if isinstance(method, Read) and method.waits:
                self._start(self._read(message, method, arguments), sender=message.sender)
            elif isinstance(method, Read):
                self._answer_read(message, method, arguments)
            else:
                self._start(self._change(message, method, arguments), sender=message.sender)
            return
        if member in STANDARD and interface in (STANDARD[member].interface, None):
            self._answer_standard(message, at_home=at_home)
            return
        if introspect(message.path) is None:
            self._refuse(message, names.UNKNOWN_OBJECT, f"there is no object {message.path[:256]}")
        elif at_home and interface not in (names.INTERFACE, None, *(row.interface for row in STANDARD.values())):
            self._refuse(message, names.UNKNOWN_INTERFACE, f"the object has no interface {interface}")
        else:
            self._refuse(message, names.UNKNOWN_METHOD, f"there is no method {member} here")

    def _answer_read(self, message: Message, method: Read, arguments: list[Any]) -> None:
        answer = method.answer(self._service, *arguments)
        self._reply(message, method.out.signature, [body(answer, method.out.signature)])

    async def _read(self, message: Message, method: Read, arguments: list[Any]) -> None:
        with self._errors_answered(message):
            answer: Any = method.answer(self._service, *arguments)
            self._reply(message, method.out.signature, [body(await answer, method.out.signature)])

    def _answer_standard(self, message: Message, *, at_home: bool) -> None:
        """Properties, Introspectable and Peer."""
        if message.member == "Set" and at_home:  # whatever it says: the relay has cut off its body
            self._refuse(message, names.PROPERTY_READ_ONLY, "properties are read-only; methods change things")
            return
        row = STANDARD[message.member]
        if row.signature_in != message.signature:
            raise InvalidArgs(f"{message.member} takes ({row.signature_in}), not ({message.signature})")
        match message.member:
            case "Ping":
                self._reply(message, "", [])
                return
            case "GetMachineId":
                self._reply(message, "s", [machine_id()])
                return
            case "Introspect" if (xml := introspect(message.path)) is not None:
                self._reply(message, "s", [xml])
                return
        if not at_home:
            self._refuse(message, names.UNKNOWN_OBJECT, f"there is no object {message.path[:256]}")
        elif len(message.body) != len(message.signature):
            raise InvalidArgs("the message is too long")
        elif message.member == "Get":
            self._reply(message, "v", [get(self._service.properties(), *message.body)])
        else:
            self._reply(message, "a{sv}", [get_all(self._service.properties(), *message.body)])

    async def _change(self, message: Message, method: Change, arguments: list[Any]) -> None:
        with self._errors_answered(message):
            interactive = bool(message.flags & MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION)
            caller = await self._callers.identify(message.sender, interactive=interactive)
            with self._room_for(caller.uid):
                task = asyncio.current_task()
                if task is not None:
                    self._asking.add(task)
                try:
                    await self._polkit.authorize(caller, method.action)
                finally:
                    if task is not None:
                        self._asking.discard(task)
                answer = await method.carry_out(Request(self._service, self._holds, caller), *arguments)
            out = method.out.signature if method.out is not None else ""
            self._reply(message, out, [body(answer, out)] if out else [])

    @contextmanager
    def _room_for(self, uid: int) -> Iterator[None]:
        """Bounds what one user may have pending: a password dialog stays open for minutes."""
        pending = self._pending.get(uid, 0)
        if pending >= MAX_PENDING_PER_USER and uid != 0:
            raise Busy(f"user {uid} has {pending} requests waiting; try again later")
        self._pending[uid] = pending + 1
        try:
            yield
        finally:
            self._pending[uid] -= 1
            if not self._pending[uid]:
                del self._pending[uid]

    async def _unanswered(self, work: Coroutine[Any, Any, None]) -> None:
        with self._errors_answered(None):
            await work

    # ---- answers

    def _reply(self, message: Message, signature_out: str, values: list[Any]) -> None:
        if not message.flags & MessageFlag.NO_REPLY_EXPECTED:
            self._link.send(Message.new_method_return(message, signature_out, values))

    def _refuse(self, message: Message, error_name: str, text: str) -> None:
        if not message.flags & MessageFlag.NO_REPLY_EXPECTED:
            self._link.send(Message.new_error(message, error_name, without_folders(clean(text))))

    @contextmanager
    def _errors_answered(self, message: Message | None) -> Iterator[None]:
        try:
            yield
        except GamesadError as error:
            if message is not None:
                self._refuse(message, error.dbus_name, str(error))
        except Exception as error:  # noqa: BLE001 - the edge: whatever goes wrong, the caller gets an answer and no internals
            what = message.member if message is not None else "following the bus"
            self._log_once(what, error)
            if message is not None:
                self._refuse(message, Failed.dbus_name, "something went wrong inside; the journal says what")

    def _log_once(self, what: str, error: Exception) -> None:
        key = f"{what}: {type(error).__name__}: {error}"[:512]
        if key not in self._logged and len(self._logged) < 256:
            self._logged.add(key)
            _LOG.error("%s failed", what, exc_info=error)

    def _start(self, work: Coroutine[Any, Any, None], *, sender: str) -> None:
        of_sender = sum(other == sender for other in self._tasks.values())
        if sender and (of_sender >= MAX_PENDING_PER_USER or len(self._tasks) >= MAX_PENDING):
            work.close()
            raise Busy("too many requests are waiting; try again later")
        task = asyncio.create_task(work)
        self._tasks[task] = sender
        task.add_done_callback(lambda done: self._tasks.pop(done, None))


def _read_arguments(message: Message, ins: tuple[Argument, ...]) -> list[Any]:
    if message.signature != signature(ins):
        raise InvalidArgs(f"{message.member} takes ({signature(ins)}), not ({message.signature})")
    if len(message.body) != len(ins):
        raise InvalidArgs("the message is too long, or a value is of a type that the method does not take")
    return [part.check(value) for part, value in zip(ins, message.body, strict=True)]


def without_folders(text: str) -> str:
    """The text with every absolute path cut down to its last part."""
    return _FOLDERS.sub("", text)
