"""The real daemon and its shared memory: who reads it, what is left of it after a kill, what a full one costs."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gamesad.crystal import layout, reader
from gamesad.crystal.reader import Crystal
from tests.support.bus_client import Refused, client
from tests.support.client import eventually
from tests.support.daemon import as_uid, gamesad
from tests.support.private_bus import ROOT, missing, system_bus

SCENARIO = "laptop/steady-game"
NOBODY, ANOTHER = 65534, 51002
CPU = "hwmon.coretemp-isa-0000.temp1"
FOLLOW = """
import json, mmap, os, sys
from gamesad.crystal.reader import attach
path, uid, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
with attach(path, mapped=True) as crystal:
    for _, tick in zip(range(count), crystal.follow(timeout_s=60)):
        print(json.dumps([tick.tick, tick.monotonic_ns, tick.values, str(tick.text)]), flush=True)
"""


@pytest.fixture
def shm(tmp_path: Path) -> Path:
    (tmp_path / "shm").mkdir()
    return tmp_path / "shm" / "gamesad"


def arguments(folder: Path, shm: Path, *more: str) -> list[str]:
    places = ["--runtime-dir", f"{folder}/run", "--state-dir", f"{folder}/state", "--shm", str(shm)]
    return ["--simulate", SCENARIO, *places, *more]


def alone(folder: Path, shm: Path, *more: str) -> list[str]:
    return arguments(folder, shm, "--without", "bus,udev", *more)


def configured(folder: Path, text: str) -> list[str]:
    path = folder / "gamesad.toml"
    path.write_text(f"[daemon]\ntick_slowest_s = 0.5\n[crystal]\n{text}")
    return ["--config", str(path)]


def ticked(crystal: Crystal, more: int) -> None:
    """Until the daemon has made so many ticks more."""
    for _ in zip(range(more + 1), crystal.follow(timeout_s=60), strict=False):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two other users")
def test_two_unrelated_processes_of_different_users_read_the_same_live_data(tmp_path: Path, shm: Path) -> None:
    tmp_path.chmod(0o755)
    with gamesad(tmp_path, alone(tmp_path, shm, *configured(tmp_path, ""))) as daemon:
        followers = [
            subprocess.Popen(
                [sys.executable, "-c", FOLLOW, str(shm), str(uid), "6"], cwd=ROOT, stdout=subprocess.PIPE, text=True
            )
            for uid in (NOBODY, ANOTHER)
        ]
        seen = []
        for follower in followers:
            out, _ = follower.communicate(timeout=120)
            assert follower.returncode == 0
            seen.append({row[0]: row for row in map(json.loads, out.splitlines())})
        assert daemon.stop() == 0
    both = seen[0].keys() & seen[1].keys()
    assert len(both) >= 3
    assert all(seen[0][tick] == seen[1][tick] for tick in both)
    assert len({row[2][CPU] for row in seen[0].values()} | {row[1] for row in seen[0].values()}) >= 6


def test_a_clean_stop_leaves_nothing_in_memory_and_history_on_disk(tmp_path: Path, shm: Path) -> None:
    for start in range(2):
        with gamesad(tmp_path, alone(tmp_path, shm)) as daemon:
            assert stat_of(shm) == (0o644, os.geteuid())
            with reader.attach(str(shm)) as crystal:
                ticked(crystal, 3)
                assert len(crystal.decisions(9)) == start + 1
            assert daemon.stop() == 0
        assert os.listdir(shm.parent) == []
    kinds = {name.partition(".")[0] for name in os.listdir(tmp_path / "state" / "history")}
    assert kinds == {"middle", "slow", "decisions"}
    assert "Traceback" not in daemon.log()


def stat_of(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_mode & 0o7777, status.st_uid


def test_a_kill_and_a_restart_lose_nothing_but_the_version_being_written(tmp_path: Path, shm: Path) -> None:
    """Some times over, at whatever moment; history and decisions grow across all of them."""
    config = configured(tmp_path, "flight_before_s = 30\nflight_after_s = 1\n")
    (tmp_path / "state").mkdir()
    for number, profile in enumerate(("power-saver", "quiet", "performance", "power-saver")):
        (tmp_path / "state" / "state.json").write_text(json.dumps({"version": 1, "selected": profile}))
        before = kept(shm) if number else ({}, {}, 0)
        with gamesad(tmp_path, alone(tmp_path, shm, *config)) as daemon:
            with reader.attach(str(shm)) as crystal:
                ticked(crystal, 4)
            after = kept(shm)
            assert after[0].items() >= before[0].items(), "a row of history is lost"
            assert after[1].items() >= before[1].items(), "a decision is lost"
            assert len(after[1]) > len(before[1])
            assert after[2] == before[2] + 1
            recorded(shm, number)
            time.sleep(0.137 * number)  # another moment each time
            daemon.kill()
        with reader.attach(str(shm)) as crystal:
            assert crystal.latest().text["ActiveProfile"] == profile
    assert {flight["Reason"] for flight in flights(shm)} == {"crash"}
    assert all(len(flight["Rows"]) >= 4 and flight["Decisions"] for flight in flights(shm))
    with gamesad(tmp_path, alone(tmp_path, shm, *config)) as daemon:
        assert daemon.stop() == 0
    assert os.listdir(shm.parent) == []


def kept(shm: Path) -> tuple[dict[int, Any], dict[int, Any], int]:
    """Rows by time, decisions by number, generation. The last row may still be in the making."""
    with reader.attach(str(shm)) as crystal:
        rows = {time_us: point for time_us, *point in crystal.history(CPU)}
        decisions = {one.number: (one.since_s, one.text) for one in crystal.decisions(4096)}
        return rows, decisions, crystal.generation


def flights(shm: Path) -> list[dict[str, Any]]:
    with reader.attach(str(shm)) as crystal:
        return [json.loads(crystal.read(block.id)) for block in crystal.blocks() if block.owner == "flight"]


def recorded(shm: Path, count: int) -> None:
    eventually(lambda: len(flights(shm)) == count, f"recording {count}")


def test_readers_notice_a_dead_daemon_and_the_next_one(tmp_path: Path, shm: Path) -> None:
    with gamesad(tmp_path, alone(tmp_path, shm)) as daemon, reader.attach(str(shm)) as crystal:
        assert crystal.stale_since_s is None
        daemon.kill()
        died_s = time.time()
        later(shm, 11)
        stale_s = crystal.stale_since_s
        assert stale_s is not None
        assert abs(stale_s + 11.0 - died_s) < 3.0
        with gamesad(tmp_path, alone(tmp_path, shm)) as another:
            assert next(crystal.follow(timeout_s=60)).uptime_s < 60
            assert crystal.stale_since_s is None
            assert another.stop() == 0


def later(shm: Path, seconds: int) -> None:
    """As if so many more had passed since the daemon's last sign of life."""
    with open(shm, "r+b") as file:
        file.seek(layout.HEARTBEAT_AT)
        beat_ns = int.from_bytes(file.read(8), "little")
        file.seek(layout.HEARTBEAT_AT)
        file.write((beat_ns - seconds * 10**9).to_bytes(8, "little"))


def test_a_full_shared_memory_costs_the_segment_and_nothing_else(tmp_path: Path, shm: Path) -> None:
    within = f"mount -t tmpfs -o size=64k none {shm.parent}"
    if reason := missing():
        pytest.skip(reason)
    with gamesad(tmp_path, alone(tmp_path, shm), within=within) as daemon:
        daemon.wait_log("no shared memory: ")
        assert daemon.stop() == 0
    [line] = [line for line in daemon.log().splitlines() if "no shared memory" in line]
    assert "more bytes (No space left on device); free room in" in line
    assert "Traceback" not in daemon.log()


def test_with_room_for_the_fast_history_only_that_is_there(tmp_path: Path, shm: Path) -> None:
    within = f"mount -t tmpfs -o size=6m none {shm.parent}"
    if reason := missing():
        pytest.skip(reason)
    with gamesad(tmp_path, alone(tmp_path, shm), within=within) as daemon:
        daemon.wait_log("history goes back 10 minutes only: ")
        with reader.attach(f"/proc/{daemon.process.pid}/root{shm}") as crystal:
            ticked(crystal, 2)
            assert CPU in crystal.latest().values
            assert crystal.history(CPU)
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.log()


def test_what_is_planted_at_its_place_is_neither_followed_nor_believed(tmp_path: Path, shm: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    shm.symlink_to(victim)
    with gamesad(tmp_path, alone(tmp_path, shm)) as daemon:
        assert not shm.is_symlink()
        with reader.attach(str(shm)) as crystal:
            assert CPU in crystal.latest().values
        assert daemon.stop() == 0
    assert victim.read_text() == "precious"


def test_a_folder_at_its_place_is_one_clear_line(tmp_path: Path, shm: Path) -> None:
    shm.mkdir()
    with gamesad(tmp_path, alone(tmp_path, shm)) as daemon:
        daemon.wait_log(f"no shared memory: {shm} is a folder; remove it or use --shm")
        assert daemon.stop() == 0
    assert shm.is_dir()


def test_beside_another_gamesad_that_lives_it_stays_off(tmp_path: Path, shm: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    with gamesad(tmp_path, alone(tmp_path, shm)) as first:
        with gamesad(second, alone(second, shm, "--observe")) as other:
            other.wait_log(f"no shared memory: another gamesad (process {first.process.pid}) publishes at {shm}")
            with reader.attach(str(shm)) as crystal:
                ticked(crystal, 2)
            assert other.stop() == 0
        assert shm.exists()
        assert first.stop() == 0
    assert not shm.exists()


@pytest.mark.parametrize("how", ["--without", "enabled"])
def test_off_means_off(tmp_path: Path, shm: Path, how: str) -> None:
    more = configured(tmp_path, "enabled = false\n" if how == "enabled" else "")
    parts = "bus,udev,crystal" if how == "--without" else "bus,udev"
    with gamesad(tmp_path, arguments(tmp_path, shm, "--without", parts, *more)) as daemon:
        assert daemon.stop() == 0
    assert os.listdir(shm.parent) == []
    assert "shared memory" not in daemon.log()


def test_another_root_and_once_publish_nothing_unless_told_to(tmp_path: Path) -> None:
    before = sorted(os.listdir("/dev/shm"))
    run = [sys.executable, "-m", "gamesad", "--simulate", SCENARIO]
    subprocess.run([*run, "--once"], check=True, capture_output=True, cwd=ROOT)
    with gamesad(tmp_path, ["--simulate", SCENARIO, "--without", "bus,udev"]) as daemon:
        assert daemon.stop() == 0
    assert "gamesad" not in set(os.listdir("/dev/shm")) - set(before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_an_ordinary_user_publishes_what_only_they_believe(tmp_path: Path, shm: Path) -> None:
    tmp_path.chmod(0o755)
    shm.parent.chmod(0o777)
    for name in ("run", "state"):
        (tmp_path / name).mkdir(mode=0o777)
        (tmp_path / name).chmod(0o777)
    loaded = "from gamesad.simulation import open_machine\n" + as_uid(NOBODY)
    with gamesad(tmp_path, alone(tmp_path, shm, "--observe"), before=loaded, ready=False) as daemon:
        eventually(shm.exists, "the segment")
        assert stat_of(shm) == (0o644, NOBODY)
        read = [sys.executable, "-c", FOLLOW, str(shm)]
        theirs = subprocess.run([*read, str(NOBODY), "1"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert theirs.returncode == 0, theirs.stderr
        ours = subprocess.run([*read, "0", "1"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert "NotTrusted" in ours.stderr
        assert daemon.stop() == 0


@pytest.fixture
def answers(tmp_path: Path, shm: Path) -> Iterator[Any]:
    """Asks the daemon on a bus as a user."""
    if reason := missing():
        pytest.skip(reason)
    with system_bus() as bus, gamesad(tmp_path, arguments(tmp_path, shm), bus=bus.address) as daemon:

        def ask(user: str, member: str, signature: str = "", *body: Any) -> Any:
            async def call() -> Any:
                async with client(bus, user) as caller:
                    return await caller.call(member, signature, *body)

            return asyncio.run(call())

        yield ask
        assert daemon.stop() == 0
        assert "Traceback" not in daemon.log()


def test_the_bus_tells_of_it_and_changes_it_for_those_who_may(answers: Any, shm: Path) -> None:
    with reader.attach(str(shm)) as crystal:
        eventually(lambda: len(crystal.history(CPU)) >= 2, "the second point")
        points = answers("nobody", "GetHistory", "sttu", CPU, 0, 0, 0)
        assert [tuple(point) for point in points] == crystal.history(CPU)[: len(points)]
        assert len(points) >= 2
        told = answers("nobody", "CrystalStats")
        assert (told["path"], told["generation"]) == (str(shm), 1)
        assert told.keys() >= {*layout.STATISTICS, "length", "Advice", "Survey"}
        for member, signature, body in (("CompactCrystal", "", ()), ("ApplyLayout", "s", ('{"order": []}',))):
            with pytest.raises(Refused) as refused:
                answers("member", member, signature, *body)
            assert refused.value.name == "NotAuthorized"
        answers("root", "CompactCrystal")
        assert answers("nobody", "CrystalStats")["generation"] == 2
        ticked(crystal, 1)
        assert crystal.generation == 2
        with pytest.raises(Refused, match="plan: ") as refused:
            answers("root", "ApplyLayout", "s", "[1, 2]")
        assert refused.value.name == "Failed"
        answers("member", "CrystalHint", "at", [0x7FFF1000, 1])
        with pytest.raises(Refused, match="there is no history of") as refused:
            answers("nobody", "GetHistory", "sttu", "hwmon.nothing", 0, 0, 0)
        assert refused.value.name == "UnknownSensor"


def test_holds_are_counted_in_the_segment_and_told_on_the_bus(tmp_path: Path, shm: Path) -> None:
    if reason := missing():
        pytest.skip(reason)

    async def hold(bus: Any) -> None:
        async with client(bus) as game:
            await game.call("HoldProfile", "sss", "performance", "rendering-secret", "game-secret.exe")
            status = await game.call("GetStatus")
            assert status["ProfileCause"] == "held by game-secret.exe: rendering-secret"
            with reader.attach(str(shm)) as crystal:
                text = crystal.latest().text
                assert (text["HoldCount"], text["ProfileCause"], text["ActiveProfile"]) == (1, "held", "performance")

    with system_bus() as bus, gamesad(tmp_path, arguments(tmp_path, shm), bus=bus.address) as daemon:
        asyncio.run(hold(bus))
        eventually(lambda: reader.attach(str(shm)).latest().text["HoldCount"] == 0, "the hold's end")
        daemon.kill()
    left = shm.read_bytes()
    assert b"rendering-secret" not in left
    assert b"game-secret" not in left
    assert b"performance (held)" in left
