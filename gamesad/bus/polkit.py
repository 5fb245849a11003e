"""Whether a caller may: asked of polkit before a method's body runs, never in the middle of it.

org.freedesktop.PolicyKit1.Authority: the subject is the caller's bus name, so polkit itself finds process, user and
session. Root is not asked about; without polkit only root may change anything.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

from dbus_next.signature import Variant

from gamesad.bus.caller import Caller
from gamesad.bus.link import CallFailed, Link, Remote
from gamesad.errors import NotAuthorized

AUTHORITY = Remote(
    "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority"
)
_ALLOW_USER_INTERACTION = 1
ANSWER_TIMEOUT_S = 30.0
"""The bus itself gives a service that it starts 25 s."""
PASSWORD_TIMEOUT_S = 300.0


class Polkit:
    """polkit over one link."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._cancellations: Iterator[int] = itertools.count(1)

    async def authorize(self, caller: Caller, action: str) -> None:
        """NotAuthorized with a sentence unless the caller may. A password is asked for only if the caller said so."""
        if caller.uid == 0:
            return
        cancellation = f"gamesad-{next(self._cancellations)}"
        subject = ["system-bus-name", {"name": Variant("s", caller.name)}]
        flags = _ALLOW_USER_INTERACTION if caller.interactive else 0
        timeout_s = PASSWORD_TIMEOUT_S if caller.interactive else ANSWER_TIMEOUT_S
        try:
            [answer] = await self._link.call(
                AUTHORITY, "CheckAuthorization", "(sa{sv})sa{ss}us",
                [subject, action, {}, flags, cancellation], timeout_s=timeout_s,
            )  # fmt: skip
            allowed, challenge, details = answer
        except CallFailed as error:
            self._cancel(cancellation)
            raise NotAuthorized(_why_unanswered(error, action)) from error
        except asyncio.CancelledError:
            self._cancel(cancellation)
            raise
        except ValueError as error:
            raise NotAuthorized("polkit's answer makes no sense, so only root may do this") from error
        if allowed is not True:
            raise NotAuthorized(_why_refused(action, challenge=challenge, details=details, caller=caller))

    def _cancel(self, cancellation: str) -> None:
        """Takes the question back, and any dialog with it."""
        self._link.tell(AUTHORITY, "CancelCheckAuthorization", cancellation)


def _why_unanswered(error: CallFailed, action: str) -> str:
    reason = error.name.rpartition(".")[2]
    match reason:
        case "ServiceUnknown" | "NameHasNoOwner" | "ChildExited" | "ServiceNotFound":
            return "polkit is not running, so only root may do this"
        case "NoReply":  # the bus says so too, when the one who was asked leaves
            return "polkit has left the bus, so only root may do this"
        case "Timeout" | "TimedOut":
            return "polkit did not answer in time, so only root may do this"
        case _:
            return f"polkit could not decide about {action} ({reason}), so only root may do this"


def _why_refused(action: str, *, challenge: object, details: object, caller: Caller) -> str:
    if isinstance(details, dict) and details.get("polkit.dismissed"):
        return "the password dialog was dismissed"
    if challenge and not caller.interactive:
        return f"polkit wants a password for {action}, and the caller does not allow it to be asked"
    if challenge:
        return f"polkit wants a password for {action}, and nobody is there to ask for it"
    return f"polkit does not allow {action} to user {caller.uid}"
