"""What the models have to tell: one event each, for the journal and the bus."""

from __future__ import annotations

from dataclasses import dataclass, field

from gamesad.journal import Fields
from gamesad.messages import Message


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth telling once, as gamesad.events.Event is; the worker passes it on as one."""

    message: Message
    text: str
    fields: Fields = field(default_factory=Fields)
