"""Where a verb writes: stdout as a person or as a program wants it."""

from __future__ import annotations

import os
import sys

from gamesactl import terminal
from gamesactl.render import to_json

TYPE_CHECKING = False  # as in typing, without importing it
if TYPE_CHECKING:
    from collections.abc import Iterable


class Output:
    """``json``: one document and nothing else."""

    def __init__(self, *, json: bool = False, color: bool = True) -> None:
        self.json = json
        self.style = terminal.style_for(sys.stdout, wanted=color and not json)
        self.width = terminal.width()

    def document(self, value: object) -> None:
        self.line(to_json(value))

    def lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.line(line)

    def line(self, text: str) -> None:
        print(text)

    def done(self, document: object, sentence: str) -> None:
        """The answer of a verb that changed something: the document, or the sentence."""
        if self.json:
            self.document(document)
        else:
            self.line(sentence)

    def note(self, text: str) -> None:
        """Something that happens while a verb goes on; never on stdout."""
        print(f"gamesactl: {text}", file=sys.stderr, flush=True)

    def flush(self) -> None:
        sys.stdout.flush()

    def silence(self) -> None:
        """Nobody reads stdout any more: what is still written goes nowhere."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
