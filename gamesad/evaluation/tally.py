"""What was left out of a recording, or assumed: counted while it is read, told in one sentence each."""

from __future__ import annotations

from collections.abc import Iterator

_SHOWN = 40


class Tally:
    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}
        self._notes: dict[str, None] = {}

    def count(self, what: str, line: int = 0, where: str = "") -> None:
        """One more of ``what`` (a plural); the first is told with its line of the file and its text."""
        if what not in self._counts:
            place = f"line {line}" if line else ""
            text = f'"{_plain(where)}"' if where else ""
            self._first[what] = ", ".join(part for part in (place, text) if part)
        self._counts[what] = self._counts.get(what, 0) + 1

    def note(self, sentence: str) -> None:
        self._notes[sentence] = None

    def sentences(self) -> Iterator[str]:
        for what, count in self._counts.items():
            first = self._first[what]
            yield f"{what}: {count}" + (f", the first: {first}" if first else "")
        yield from self._notes


def _plain(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[: _SHOWN + 1])
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
