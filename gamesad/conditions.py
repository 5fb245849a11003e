"""When to speak of something that lasts: once when it begins, once when it has ended."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Ended(NamedTuple, Generic[Key]):
    key: Key
    lasted_s: float


class Changes(NamedTuple, Generic[Key]):
    """What one update brought: conditions to speak of now."""

    begun: list[Key]
    ended: list[Ended[Key]]


class Conditions(Generic[Key]):
    """Which conditions (a refused tunable, a sensor that is lost) hold, told to somebody who speaks of changes only.

    One that comes and goes is one condition: it has ended when it was away for ``settle_s``. Time is given, never
    taken, so the same updates always bring the same changes.
    """

    def __init__(self, settle_s: float = 10.0) -> None:
        self._settle_s = settle_s
        self._held: dict[Key, _Span] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._held

    def update(self, present: Collection[Key], now_s: float) -> Changes[Key]:
        """Take what is the case at ``now_s``; a quiet tick (nothing present, nothing held) costs next to nothing."""
        begun: list[Key] = []
        ended: list[Ended[Key]] = []
        held = self._held
        for key in present:
            span = held.get(key)
            if span is None:
                begun.append(key)
                held[key] = _Span(now_s, now_s)
            else:
                held[key] = _Span(span.began_s, now_s)
        for key, span in list(held.items()) if held else ():
            if span.seen_s < now_s and now_s - span.seen_s >= self._settle_s:
                del held[key]
                ended.append(Ended(key, span.seen_s - span.began_s))
        return Changes(begun, ended)


class _Span(NamedTuple):
    began_s: float
    seen_s: float
