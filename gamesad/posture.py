"""Whether the machine is written to at all, and if not, why: asked to observe, or another daemon has the controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

CONTESTED_TIMES = 5
CONTESTED_PAUSE_S = 600.0


class Posture:
    """``reason`` is empty while gamesad may write. Two daemons that correct each other help nobody: the other wins."""

    def __init__(self, asked: str = "") -> None:
        self._asked = asked
        self._rivals: frozenset[str] = frozenset()
        self._contested = ""
        self._contested_until_s = 0.0

    @property
    def reason(self) -> str:
        if self._asked:
            return self._asked
        if self._rivals:
            return f"{', '.join(sorted(self._rivals))} regulates the same controls; stop it to let gamesad act"
        return self._contested

    def ask(self, reason: str) -> None:
        """Observe for this reason from now on; an empty one ends it."""
        self._asked = reason

    def rival(self, name: str, *, present: bool) -> None:
        """A daemon that serves the same controls came to the bus or left it."""
        self._rivals = self._rivals | {name} if present else self._rivals - {name}

    def update(self, contested: Mapping[str, int], now_s: float, suspects: Callable[[], Sequence[str]]) -> None:
        """``contested``: how often in the last minute somebody else rewrote each tunable that we had set.

        ``suspects`` names the running programs known to do that; asked only when there is something to explain.
        """
        if self._contested and now_s >= self._contested_until_s:
            self._contested = ""
        worst = max(contested, key=contested.__getitem__, default=None)
        if worst is not None and contested[worst] >= CONTESTED_TIMES and not self._contested:
            minutes = CONTESTED_PAUSE_S / 60
            running = " and ".join(suspects())
            who = f"something else ({running} is running)" if running else "something else"
            self._contested = f"{who} keeps rewriting {worst}; observing for {minutes:g} minutes"
            self._contested_until_s = now_s + CONTESTED_PAUSE_S
