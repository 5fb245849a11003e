"""Something done on a thread of its own, because it may wait for a disk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Errand:
    """Ends by itself; nothing can end it from outside."""

    def __init__(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """``then`` takes what ``work`` returns, in ``finish``. RuntimeError: there are no more threads."""
        self._ended = threading.Event()
        self._work, self._then = work, then
        self._result: Any = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="history", daemon=True).start()

    def ended(self, patience_s: float = 0.0) -> bool:
        return self._ended.wait(patience_s)

    def finish(self) -> None:
        """On the thread that waits for it, once it has ended. What ``work`` raised is raised here."""
        if self._error is not None:
            raise self._error
        self._then(self._result)

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error
        self._ended.set()
