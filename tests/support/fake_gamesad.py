"""The real bus server with a service behind it that says what a file says and writes down what it was asked.

``python -m tests.support.fake_gamesad FOLDER``: answers come from FOLDER/answers.json, read at every call; every change
asked for is a line in FOLDER/asked. FOLDER/ready is there once the name is owned.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gamesad import errors
from gamesad.bus.connection import serve

Listener = Callable[[str, object], None]


class FakeService:
    """Knows profiles, holds and overrides by their names only."""

    version = "0.1.0"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listeners: list[Listener] = []
        self._holds: dict[int, dict[str, object]] = {}
        self._owners: dict[int, str] = {}
        self._cookie = 0

    def properties(self) -> dict[str, object]:
        return {**self._answers()["properties"], "Holds": list(self._holds.values())}

    def status(self) -> dict[str, object]:
        answer = self._answers()["status"]
        return {**answer, "Holds": [*answer.get("Holds", []), *self._holds.values()]}

    def sensors(self) -> list[dict[str, object]]:
        return list(self._answers()["sensors"])

    async def tunables(self) -> list[dict[str, object]]:
        return list(self._answers()["tunables"])

    def decisions(self, count: int) -> list[dict[str, object]]:
        return list(self._answers()["decisions"])[:count]

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def set_profile(self, name: str, *, uid: int) -> None:
        self._known(name)
        answers = self._answers()
        answers["properties"].update(ActiveProfile=name, SelectedProfile=name)
        (self._folder / "answers.json").write_text(json.dumps(answers))
        self._asked("set_profile", name, uid)

    async def hold_profile(self, profile: str, reason: str, application_id: str, *, owner: str, uid: int) -> int:
        self._known(profile)
        self._cookie += 1
        cookie = self._cookie
        self._holds[cookie] = {"Cookie": cookie, "Profile": profile, "Reason": reason, "ApplicationId": application_id}
        self._owners[cookie] = owner
        self._asked("hold", profile, reason, application_id)
        self._changed()
        return cookie

    async def release_profile(self, cookie: int, *, uid: int) -> None:
        if cookie not in self._holds:
            raise errors.UnknownHold(f"there is no hold {cookie}")
        self._end(cookie)

    async def release_owner(self, owner: str) -> None:
        for cookie in [cookie for cookie, holder in self._owners.items() if holder == owner]:
            self._end(cookie)

    async def set_tunable(self, name: str, value: str | int, revert_after_s: int, *, uid: int) -> None:
        self._asked("set_tunable", name, value, revert_after_s)

    async def confirm_tunable(self, name: str) -> None:
        self._by_hand(name)
        self._asked("confirm_tunable", name)

    async def reset_tunable(self, name: str) -> None:
        self._by_hand(name)
        self._asked("reset_tunable", name)

    async def set_limit(self, name: str, value: float, *, uid: int) -> None:
        if not 20 <= value <= 150:
            raise errors.OutOfRange(f"a limit on {name} is 20..150 °C, not {value:g}")
        self._asked("set_limit", name, value)

    async def clear_limit(self, name: str) -> None:
        self._asked("clear_limit", name)

    async def pause(self, seconds: int) -> None:
        self._asked("pause", seconds)

    async def resume(self) -> None:
        self._asked("resume")

    async def reload_config(self) -> None:
        self._asked("reload_config")
        if problems := self._answers().get("problems"):
            raise errors.ConfigError(problems)

    async def neural_status(self) -> dict[str, object]:
        return dict(self._answers()["neural"])

    async def checkpoint_models(self) -> None:
        self._asked("checkpoint")

    async def reset_models(self, which: str) -> None:
        self._asked("reset", which)

    async def set_policy_mode(self, mode: str) -> None:
        self._asked("mode", mode)

    async def sleep(self) -> None:
        self._asked("sleep")

    async def rival(self, name: str, *, present: bool) -> None:
        """Nobody else is on this bus."""

    async def wake(self) -> None:
        self._asked("wake")

    def _answers(self) -> dict[str, Any]:
        return dict(json.loads((self._folder / "answers.json").read_text()))

    def _asked(self, *what: object) -> None:
        with (self._folder / "asked").open("a") as file:
            file.write(json.dumps(what) + "\n")

    def _known(self, profile: str) -> None:
        if profile not in [one["Name"] for one in self._answers()["properties"]["Profiles"]]:
            raise errors.UnknownProfile(f"there is no profile {profile!r}")

    def _by_hand(self, name: str) -> None:
        if not any(one["Name"] == name and "Override" in one for one in self._answers()["tunables"]):
            raise errors.UnknownTunable(f"{name!r} was not set by hand, so there is nothing to confirm or reset")

    def _end(self, cookie: int) -> None:
        del self._holds[cookie], self._owners[cookie]
        self._asked("released", cookie)
        self._changed()

    def _changed(self) -> None:
        for listener in self._listeners:
            listener("PropertiesChanged", {"Holds": list(self._holds.values())})


def main(folder: Path) -> None:
    def state(said: str) -> None:
        if said == "on":
            (folder / "ready").touch()

    asyncio.run(serve(FakeService(folder), on_state=state))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
