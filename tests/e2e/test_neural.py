"""The real daemon and what it learns: begun once it is ready, kept over a stop, and not missed when it cannot be."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bus_client import Refused, client
from tests.support.client import eventually
from tests.support.daemon import Daemon, gamesad, without
from tests.support.private_bus import PrivateBus, missing, system_bus

NO_NUMPY = "nothing is learnt, the rules decide alone: numpy cannot be imported (apt install python3-numpy)"


@pytest.fixture(scope="module")
def bus() -> Iterator[PrivateBus]:
    if reason := missing():
        pytest.skip(reason)
    with system_bus() as bus:
        yield bus


def arguments(folder: Path, *more: str, neural: str = "") -> list[str]:
    path = folder / "gamesad.toml"
    path.write_text(f"[daemon]\ntick_slowest_s = 0.5\n[neural]\n{neural}")
    places = ["--runtime-dir", f"{folder}/run", "--state-dir", f"{folder}/state", "--config", str(path)]
    return ["--simulate", "laptop/compile", *places, *more]


def ask(bus: PrivateBus, member: str, *body: str) -> Any:
    async def call() -> Any:
        async with client(bus) as root:
            if member == "Components":
                return (await root.properties())[member]
            return await root.call(member, "s" * len(body), *body)

    return asyncio.run(call())


def learns(bus: PrivateBus) -> dict[str, Any]:
    """The status, once there is a forecast."""
    eventually(lambda: ask(bus, "NeuralStatus").get("Forecast", {}).get("Sensors"), "a forecast")
    status: dict[str, Any] = ask(bus, "NeuralStatus")
    return status


def kept(folder: Path) -> list[str]:
    return sorted(os.listdir(folder / "state" / "neural"))


def lines(daemon: Daemon, text: str) -> list[str]:
    return [line for line in daemon.log().splitlines() if text in line]


def test_it_learns_once_it_is_ready_saves_at_the_stop_and_goes_on(bus: PrivateBus, tmp_path: Path) -> None:
    numpy_at_ready = (
        "from gamesad import daemon as one\n"
        "def notify(*states, tell=one.notify):\n"
        "    if 'READY=1' in states: print('numpy at READY:', 'numpy' in sys.modules, file=sys.stderr, flush=True)\n"
        "    tell(*states)\n"
        "one.notify = notify\n"
    )
    with gamesad(tmp_path, arguments(tmp_path), bus=bus.address, before=numpy_at_ready) as daemon:
        first = learns(bus)
        assert ask(bus, "Components")["neural"] == "on"
        assert first["State"] == "learning"
        assert first["Policy"]["Mode"] == "shadow"
        assert daemon.stop() == 0
    assert lines(daemon, "numpy at READY") == ["numpy at READY: False"]
    path = tmp_path / "state" / "neural" / "models.npz"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with gamesad(tmp_path, arguments(tmp_path), bus=bus.address) as daemon:
        second = learns(bus)
        assert second["Since"] == first["Since"]
        before = {one["Sensor"]: one["Samples"] for one in first["Forecast"]["Sensors"]}
        assert all(one["Samples"] >= before[one["Sensor"]] for one in second["Forecast"]["Sensors"])
        assert daemon.stop() == 0
    assert kept(tmp_path) == ["models.npz"]
    assert "Traceback" not in daemon.log()


def test_what_is_asked_of_the_models_over_the_bus_is_done(bus: PrivateBus, tmp_path: Path) -> None:
    with gamesad(tmp_path, arguments(tmp_path), bus=bus.address) as daemon:
        learns(bus)
        ask(bus, "CheckpointModels")
        assert kept(tmp_path) == ["models.npz"]
        ask(bus, "SetPolicyMode", "advise")
        ask(bus, "ResetModels", "policy")
        told = ask(bus, "NeuralStatus")
        assert told["Policy"]["Mode"] == "advise", "a reset forgets what was learnt, not what is wanted"
        assert told["Life"]["Checkpoints"] >= 1
        daemon.wait_log("the learnt policy's mode is advise")
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.log()


def test_a_damaged_file_is_set_aside_and_said_once(bus: PrivateBus, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "neural"
    folder.mkdir(parents=True)
    (folder / "models.npz").write_bytes(b"PK\x03\x04 cut short")
    with gamesad(tmp_path, arguments(tmp_path), bus=bus.address) as daemon:
        learns(bus)
        daemon.wait_log("could not be taken up")
        assert daemon.stop() == 0
    (line,) = lines(daemon, "could not be taken up")
    assert f"{folder}/models.npz" in line
    assert "learning begins anew" in line
    assert kept(tmp_path) == ["models.npz", "models.npz.set-aside"]


def test_without_numpy_the_rules_decide_alone_and_it_is_said_once(bus: PrivateBus, tmp_path: Path) -> None:
    with gamesad(tmp_path, arguments(tmp_path), bus=bus.address, before=without("numpy")) as daemon:
        daemon.wait_log(NO_NUMPY)
        assert "numpy cannot be imported" in ask(bus, "Components")["neural"]
        assert "numpy cannot be imported" in ask(bus, "NeuralStatus")["State"]
        with pytest.raises(Refused, match="numpy cannot be imported") as refused:
            ask(bus, "CheckpointModels")
        assert refused.value.name == "Failed"
        ask(bus, "SetProfile", "power-saver")
        assert daemon.stop() == 0
    assert len(lines(daemon, "numpy")) == 1
    assert "Traceback" not in daemon.log()
    assert not (tmp_path / "state" / "neural").exists()


def test_left_out_it_costs_nothing(bus: PrivateBus, tmp_path: Path) -> None:
    with gamesad(tmp_path, arguments(tmp_path, "--without", "neural"), bus=bus.address) as daemon:
        assert ask(bus, "Components")["neural"] == "off"
        assert ask(bus, "NeuralStatus") == {"State": "left out with --without neural"}
        ask(bus, "SetProfile", "quiet")
        assert "numpy" not in Path(f"/proc/{daemon.process.pid}/maps").read_text()
        assert daemon.stop() == 0
    assert not (tmp_path / "state" / "neural").exists()


def test_a_reload_turns_it_off_and_on_and_changes_what_it_may(bus: PrivateBus, tmp_path: Path) -> None:
    with gamesad(tmp_path, arguments(tmp_path), bus=bus.address) as daemon:
        learns(bus)
        arguments(tmp_path, neural="enabled = false\n")
        ask(bus, "ReloadConfig")
        assert ask(bus, "Components")["neural"] == "off"
        assert kept(tmp_path) == ["models.npz"]
        changed = 'policy = "advise"\nfalse_alarms_per_week = 3.5\ntick_budget_ms = 7\n'
        arguments(tmp_path, neural=changed)
        ask(bus, "ReloadConfig")
        told = learns(bus)
        assert (told["Policy"]["Mode"], told["Anomalies"]["Budget"]) == ("advise", 3.5)
        assert told["Life"]["BudgetMs"] == 7.0
        eventually(lambda: ask(bus, "GetStatus").get("Advice", "").startswith("nothing (learns first: "), "advice")
        arguments(tmp_path, neural=changed.replace("advise", "shadow").replace("3.5", "0.5"))
        ask(bus, "ReloadConfig")
        told = ask(bus, "NeuralStatus")
        assert (told["Policy"]["Mode"], told["Anomalies"]["Budget"]) == ("shadow", 0.5)
        eventually(lambda: "Advice" not in ask(bus, "GetStatus"), "the end of the advice")
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.log()


def test_a_folder_that_takes_nothing_is_said_once_and_learning_goes_on(bus: PrivateBus, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "neural").write_text("a file is in the way")
    with gamesad(tmp_path, arguments(tmp_path), bus=bus.address) as daemon:
        learns(bus)
        for _ in range(2):
            with pytest.raises(Refused, match=r"models\.npz") as refused:
                ask(bus, "CheckpointModels")
            assert refused.value.name == "Failed"
        assert learns(bus)["State"] == "learning"
        assert daemon.stop() == 0
    assert len(lines(daemon, "could not be saved")) == 1


def test_a_simulated_machine_without_a_folder_keeps_nothing(bus: PrivateBus, tmp_path: Path) -> None:
    places = tmp_path / "tmp"
    places.mkdir()
    in_there = f"os.environ['TMPDIR'] = {str(places)!r}\n"
    with gamesad(tmp_path, ["--simulate", "desktop/idle"], bus=bus.address, before=in_there) as daemon:
        learns(bus)
        assert daemon.stop() == 0
    assert os.listdir(places) == []
    assert "Traceback" not in daemon.log()
