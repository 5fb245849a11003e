"""The file that keeps what was learnt: taken up at the start, written beside the ticks, set aside when it is bad."""

from __future__ import annotations

import os
from collections.abc import Callable

from gamesad.durable import DurableFile, Silent
from gamesad.journal import Fields
from gamesad.messages import Message
from gamesad.neural import checkpoint
from gamesad.neural.checkpoint import Header, Models
from gamesad.neural.model import Unusable

AT_LAST_S = 2.0
"""What the disk is given at the stop."""

Say = Callable[[Message, str, Fields], None]
Done = Callable[[str], None]


class Shelf:
    """``models.npz`` in ``folder``. Raises nothing; ``say`` is called with what is worth telling."""

    def __init__(self, folder: str, machine: str, say: Say) -> None:
        self.path = os.path.join(folder, checkpoint.NAME)
        self.checkpoints = self.set_aside = 0
        self.saved_s: float | None = None
        """When what is on the disk was learnt, seconds since 1970."""
        self._machine = machine
        self._say = say
        self._file = DurableFile(self.path)
        self._writing: bytes | None = None
        self._of_s = 0.0
        self._waiting: list[Done] = []
        self._failed = ""

    def load(self) -> tuple[Header, Models] | None:
        """What was kept, None without; what cannot be used is set aside and told."""
        try:
            data = checkpoint.read(self.path)
            return None if data is None else checkpoint.unpack(data, machine=self._machine)
        except Unusable as error:
            self.put_aside(str(error))
        except OSError as error:
            self._fault(f"{self.path} cannot be read ({error.strerror}); learning begins anew")
        return None

    def put_aside(self, problem: str) -> None:
        self.set_aside += 1
        try:
            kept = f"kept as {os.path.basename(checkpoint.set_aside(self.path))}"
        except OSError as error:
            kept = f"and could not be renamed ({error.strerror})"
        text = f"{self.path} could not be taken up: {problem}; {kept}, learning begins anew"
        self._say(Message.MODELS_SET_ASIDE, text, Fields(path=self.path))

    def save(self, header: Header, models: Models, done: Done | None = None) -> None:
        """Begins to write; ``done`` is called by ``tend``, with "" or why not."""
        self._writing, self._of_s = checkpoint.pack(header, models), header.saved_s
        if done:
            self._waiting.append(done)
        self.tend()

    def tend(self, patience_s: float = 0.0) -> bool:
        """Looks how the writing goes on; whether somebody waits for it."""
        if self._writing is None:
            return False
        try:
            self._file.keep(self._writing, patience_s)
        except Silent:
            return bool(self._waiting)
        except OSError as error:
            self._ended(str(error.strerror))
        else:
            self.checkpoints, self.saved_s = self.checkpoints + 1, self._of_s
            self._file = DurableFile(self.path)  # the old one would hold on to what it wrote
            self._ended("")
        return False

    def close(self) -> None:
        """Gives the disk a last moment."""
        self.tend(AT_LAST_S)
        if self._writing is not None:
            self._ended("the disk does not answer, and gamesad stops")

    def _ended(self, problem: str) -> None:
        self._writing = None
        if problem:
            self._fault(f"what was learnt could not be saved: {self.path}: {problem}")
        elif self._failed:
            self._failed = ""
            self._say(Message.MODELS_SAVED, f"what was learnt is saved again in {self.path}", Fields(path=self.path))
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done(f"{self.path}: {problem}" if problem else "")

    def _fault(self, text: str) -> None:
        if text != self._failed:
            self._failed = text
            self._say(Message.MODELS_UNSAVED, text, Fields(path=self.path))
