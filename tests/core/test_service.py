"""What the service makes of what is learnt: of models that are there, that are not, and that say what is unknown."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from math import nan
from typing import Any

import pytest

from gamesad.errors import Failed
from gamesad.service import Models, Service


class Worker:
    """Carries out every request at once, as the thread between two ticks does."""

    def submit(self, request: Callable[[object], Any], answer: asyncio.Future[Any], *, ticks: bool) -> bool:
        assert not ticks, "what is learnt changes nothing in force before the tick that is due"
        try:
            answer.set_result(request(None))
        except Failed as error:
            answer.set_exception(error)
        return True


class Learnt:
    """Writes down what it was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def status(self) -> dict[str, Any]:
        sensors = [{"Sensor": "a", "Skill": nan, "Samples": 3}, {"Sensor": "b", "Skill": 0.5, "Samples": None}]
        return {"State": "learning", "Since": None, "Forecast": {"Sensors": sensors}, "Life": {"Memory": nan}}

    def checkpoint(self, done: Callable[[str], None]) -> None:
        self.asked.append("checkpoint")
        threading.Timer(0.01, done, ("" if len(self.asked) < 2 else "the disk does not answer",)).start()

    def reset(self, which: str) -> None:
        self.asked.append(("reset", which))

    def mode(self, mode: str) -> None:
        self.asked.append(("mode", mode))


def service(models: Models | None) -> Service:
    worker: Any = Worker()
    return Service(worker, None, version="1", machine="m", simulated=True, components={}, models=models)


def test_what_is_unknown_of_the_models_is_absent() -> None:
    assert asyncio.run(service(Learnt()).neural_status()) == {
        "State": "learning",
        "Forecast": {"Sensors": [{"Sensor": "a", "Samples": 3}, {"Sensor": "b", "Skill": 0.5}]},
        "Life": {},
    }


def test_the_models_are_asked_and_what_they_cannot_do_is_said() -> None:
    async def ask() -> None:
        asked = service(learnt)
        await asked.checkpoint_models()
        await asked.reset_models("policy")
        await asked.set_policy_mode("advise")
        with pytest.raises(Failed, match="the disk does not answer"):
            await asked.checkpoint_models()

    learnt = Learnt()
    asyncio.run(ask())
    assert learnt.asked == ["checkpoint", ("reset", "policy"), ("mode", "advise"), "checkpoint"]


def test_without_models_the_status_and_every_refusal_say_why() -> None:
    async def ask() -> None:
        without = service(None)
        assert await without.neural_status() == {"State": "left out with --without neural"}
        for refused in (
            without.checkpoint_models,
            lambda: without.reset_models("all"),
            lambda: without.set_policy_mode("act"),
        ):
            with pytest.raises(Failed, match="gamesad learns nothing: left out with --without neural"):
                await refused()

    asyncio.run(ask())
