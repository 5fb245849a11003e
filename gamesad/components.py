"""The parts that gamesad can do without: which are on, which not and why; told when that changes."""

from __future__ import annotations

import logging

from gamesad.bus import names
from gamesad.journal import log_event
from gamesad.messages import Message

ON, OFF = "on", "off"
_LOG = logging.getLogger(__name__)


class Components(dict[str, str]):
    """Each part's state: "on", "off" or why not. Read by other threads; a value is replaced, never changed."""

    def lack(self, part: str, problem: str) -> None:
        self[part] = problem
        log_event(Message.COMPONENT_MISSING, problem, component=part)

    def bus(self, state: str) -> None:
        before, self["bus"] = self.get("bus"), state
        if state != ON:
            log_event(Message.BUS_LOST, f"not on the bus: {state}; trying again")
        elif before:
            log_event(Message.BUS_BACK, f"on the bus as {names.BUS_NAME}")
        else:
            _LOG.info("on the bus as %s", names.BUS_NAME)

    def crystal(self, state: str) -> None:
        self._now("crystal", state, "no shared memory: ", "the shared memory is %s again")

    def neural(self, state: str) -> None:
        self._now("neural", state, "nothing is learnt, the rules decide alone: ", "learning is %s again")

    def _now(self, part: str, state: str, without: str, again: str) -> None:
        before = self.get(part, OFF)
        if state not in (ON, OFF):
            self.lack(part, f"{without}{state}")
            self[part] = state
            return
        self[part] = state
        if before not in (ON, OFF):
            _LOG.info(again, state)
