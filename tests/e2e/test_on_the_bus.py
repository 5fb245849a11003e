"""The real daemon on a real bus with the real polkit, and everything that clients and rivals may do to it."""

from __future__ import annotations

import asyncio
import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from dbus_next.signature import Variant

from tests.support.bus_client import Client, Refused, client
from tests.support.client import as_user, eventually, gamesactl, started
from tests.support.daemon import Daemon, gamesad
from tests.support.fuse_machine import Mounted, mounted
from tests.support.private_bus import PrivateBus, missing, system_bus
from tests.support.values import tunable_files

NOBODY = 65534
POLICY0 = "sys/devices/system/cpu/cpufreq/policy0"
MAX_FREQ = "cpufreq.policy0.scaling_max_freq"
PACKAGE = "hwmon.coretemp-isa-0000.temp1"


class Running(NamedTuple):
    bus: PrivateBus
    machine: Mounted
    daemon: Daemon
    config: Path
    found: dict[str, str]

    def files(self) -> dict[str, str]:
        return tunable_files(self.machine.root)

    def said(self, text: str) -> int:
        """How many lines of the log hold this text."""
        return sum(text in line for line in self.daemon.log().splitlines())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One daemon for all tests here, with no place for its state: none of them may hurt it."""
    if reason := missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("on-the-bus")
    config = folder / "gamesad.toml"
    config.write_text("[daemon]\ntick_slowest_s = 0.5\n")
    with system_bus() as bus, mounted("laptop/idle", folder) as machine:
        found = tunable_files(machine.root)
        places = ["--root", str(machine.root), "--runtime-dir", f"{folder}/run", "--state-dir", f"{folder}/state"]
        (folder / "state" / "state.json.new").mkdir(parents=True)
        with gamesad(folder, [*places, "--config", str(config)], bus=bus.address) as daemon:
            yield Running(bus, machine, daemon, config, found)
            assert daemon.stop() == 0
        bus.kill_bus()  # what was started later has the machine's mount in its namespace
        assert tunable_files(machine.root) == found
        assert "Traceback" not in daemon.log()


@pytest.fixture(autouse=True)
def as_it_was(running: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After every test the daemon answers, and the machine can be had back as it was found."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", running.bus.address)
    yield
    assert gamesactl("set-profile", "balanced").code == 0
    assert running.daemon.process.poll() is None
    assert gamesactl("status", "--json").code == 0


def on_the_bus(running: Running, talk: Any, user: str = "root") -> Any:
    async def connected() -> Any:
        async with client(running.bus, user) as caller:
            return await talk(caller)

    return asyncio.run(connected())


def test_no_argument_hurts_the_daemon(running: Running) -> None:
    """What each call is answered is the bus tests' affair; here the whole daemon stands behind it."""
    calls: list[tuple[str, str, tuple[Any, ...]]] = [
        ("SetProfile", "s", ("x" * 100_000,)),
        ("SetProfile", "i", (1,)),
        ("HoldProfile", "sss", ("nobody", "", "")),
        ("SetTunable", "svu", (MAX_FREQ, Variant("d", math.nan), 0)),
        ("SetTunable", "svu", (MAX_FREQ, Variant("x", -(2**60)), 0)),
        ("SetTunable", "svu", (MAX_FREQ, Variant("as", ["1"]), 0)),
        ("SetTunable", "svu", (MAX_FREQ, Variant("s", "\n" * 5000), 0)),
        ("SetTunable", "svu", ("../../etc/passwd", Variant("s", "1"), 0)),
        ("SetLimit", "sd", (PACKAGE, math.nan)),
        ("SetLimit", "sd", (PACKAGE, math.inf)),
        ("SetLimit", "sd", (PACKAGE, -273.0)),
        ("ReleaseProfile", "u", (2**32 - 1,)),
        ("Pause", "u", (2**32 - 1,)),
        ("ResetModels", "s", ("everything",)),
        ("ResetModels", "as", (["all"],)),
        ("SetPolicyMode", "s", ("act\x1b",)),
        ("SetPolicyMode", "s", ("x" * 300,)),
        ("Nonsense", "", ()),
    ]

    async def try_all(root: Client) -> list[Refused]:
        refused = []
        for member, signature, body in calls:
            with pytest.raises(Refused) as refusal:
                await root.call(member, signature, *body)
            refused.append(refusal.value)
        return refused

    for refusal in on_the_bus(running, try_all):
        assert "Traceback" not in refusal.text
        assert "/work" not in refusal.text
        assert len(refusal.text) < 1000
    assert running.files() == running.found
    assert running.said(" error: ") == 0


def test_a_thousand_holds_end_in_busy_and_with_their_holder(running: Running) -> None:
    async def hold_all(root: Client) -> int:
        for held in range(1000):
            try:
                await root.call("HoldProfile", "sss", "power-saver", "test", "e2e")
            except Refused as refusal:
                assert refusal.name == "Busy"
                return held
        raise AssertionError("a thousand holds were taken")

    held = on_the_bus(running, hold_all)
    assert held > 0
    eventually(lambda: gamesactl("status", "--json").document["Holds"] == [], "the end of the holds")
    eventually(lambda: running.files() == running.found, "the files as they were found")  # the tick is under way


def test_a_hold_ends_with_its_client_and_the_files_are_back(running: Running) -> None:
    with started("hold", "power-saver", "--json") as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert running.files() != running.found
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=120)
    eventually(lambda: running.files() == running.found, "the return of the files")


def test_another_user_is_refused_with_and_without_polkit(running: Running) -> None:
    looked, refused = as_user(NOBODY, "status", "set-profile quiet")
    assert (looked.code, refused.code) == (0, 4)
    assert refused.err.count("\n") == 1
    running.bus.kill_polkit()
    [refused] = as_user(NOBODY, "set-profile quiet")
    assert refused.code == 4
    assert "polkit is not running, so only root may do this" in refused.err
    assert gamesactl("set-profile", "quiet").code == 0


def test_a_value_set_by_hand_goes_back_in_its_file_by_itself(running: Running) -> None:
    file = running.machine.root / POLICY0 / "scaling_max_freq"
    found = file.read_text()
    assert gamesactl("set", MAX_FREQ, "2GHz", "--revert-after", "1s").code == 0
    assert file.read_text() == "2000000\n"
    begun = time.monotonic()
    eventually(lambda: file.read_text() == found, "going back")
    assert time.monotonic() - begun < 3.0
    running.daemon.wait_log(f"{MAX_FREQ} was not confirmed in time and has gone back")


def test_a_choice_that_cannot_be_saved_is_in_force_and_told(running: Running) -> None:
    assert gamesactl("set-profile", "quiet").code == 0
    assert running.files() != running.found
    assert running.said("warning: the choice is in force but was not saved: ") >= 1
    assert "state/state.json: Is a directory" in running.daemon.log()


def test_a_bad_configuration_is_told_to_who_asked_and_the_old_one_stays(running: Running) -> None:
    good = running.config.read_text()
    running.config.write_text(f"{good}[limits.temperatures_c]\n'{PACKAGE}' = 30\n[daemn]\n")
    fault = f'{running.config}:5: daemn: unknown section; did you mean "daemon"?'
    asked = gamesactl("reload")
    assert (asked.code, asked.err) == (1, f"gamesactl: {fault.removeprefix(f'{running.config.parent}/')}\n")
    assert running.said(f"error: {fault}; the configuration in force stays") == 1
    running.daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: running.said(f"{fault}; the configuration in force stays") == 2, "the second complaint")
    assert running.files() == running.found
    running.config.write_text("[daemon]\nlog_level = 5\n" + "x = \n" * 3)
    assert gamesactl("reload").code == 1

    running.config.write_text(f"{good}[limits.temperatures_c]\n'{PACKAGE}' = 30\n")
    running.daemon.process.send_signal(signal.SIGHUP)
    running.daemon.wait_log("the configuration was read again and is in force")
    eventually(lambda: running.files() != running.found, "the throttle")
    running.config.write_text(f"{good}observe = true\n")
    assert gamesactl("reload").code == 0
    assert running.files() == running.found
    assert gamesactl("status", "--json").document["ObserveReason"] == "asked to by the configuration (daemon.observe)"
    running.config.write_text(good)
    assert gamesactl("reload").code == 0
    assert gamesactl("status", "--json").document["Mode"] == "active"


def test_a_rival_on_the_bus_gets_the_controls_and_leaving_gives_them_back(running: Running) -> None:
    assert gamesactl("set-profile", "quiet").code == 0
    quiet = running.files()
    assert quiet != running.found
    why = "TuneD regulates the same controls; stop it to let gamesad act"

    async def rival(root: Client) -> None:
        await root.call_bus("RequestName", "su", "com.redhat.tuned", 4)
        await _until(lambda: running.files() == running.found, "the return of the files")
        await _until(lambda: _mode() == "observe", "the word of it")  # the tick that put them back tells when it ends
        status = await root.call("GetStatus")
        assert (status["Mode"], status["ObserveReason"]) == ("observe", why)
        [shown] = await asyncio.to_thread(as_user, 0, "status")
        assert f"observe: nothing is written ({why})" in " ".join(shown.out.split())

    on_the_bus(running, rival)
    eventually(lambda: running.files() == quiet, "acting again")
    assert running.said(f"observing, nothing is written: {why}") == 1
    eventually(lambda: _mode() == "active", "the word of that")
    assert running.said(f"acting again; before: {why}") == 1


def _mode() -> str:
    [told] = as_user(0, "status --json")
    return str(told.document["Mode"])


async def _until(true: Any, what: str) -> None:
    await asyncio.to_thread(eventually, true, what)


@pytest.mark.full
def test_who_keeps_putting_a_value_back_is_left_alone_after_five_times(running: Running) -> None:
    """The values held are looked at every 5 s."""
    assert gamesactl("set-profile", "power-saver").code == 0
    file = running.machine.root / POLICY0 / "scaling_max_freq"
    held, found = file.read_text(), running.found[f"/{POLICY0}/scaling_max_freq"]
    deadline = time.monotonic() + 60
    while running.said("keeps rewriting") == 0:
        assert time.monotonic() < deadline
        if file.read_text() == held:
            file.write_text(found)
        time.sleep(0.1)
    why = gamesactl("status", "--json").document["ObserveReason"]
    assert why == f"something else keeps rewriting {MAX_FREQ}; observing for 10 minutes"
    eventually(lambda: running.files() == running.found, "the return of the files")


def test_without_shared_memory_there_is_no_history_and_one_sentence_says_so(running: Running) -> None:
    async def ask(caller: Client) -> None:
        assert (await caller.properties())["Components"]["crystal"] == "off"
        for member, signature, body in (("GetHistory", "sttu", (PACKAGE, 0, 0, 0)), ("CrystalStats", "", ())):
            with pytest.raises(Refused, match="gamesad runs without shared memory") as refused:
                await caller.call(member, signature, *body)
            assert refused.value.name == "Failed"

    on_the_bus(running, ask, "nobody")
