"""Files that were cut off, damaged or made to harm: what was written replays, everything else is one clear sentence."""

from __future__ import annotations

import gzip
import random
import re
import resource
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamesad.errors import Failed
from gamesad.hardware.sysfs import Sysfs
from gamesad.recording.load import LONGEST_LINE, Recording, load
from gamesad.recording.replay import Replay
from gamesad.simulation import open_machine
from tests.support.machines import rewrite, tree
from tests.support.recorded import Clock, Memory, put, record
from tests.support.trees import INTEL_LAPTOP

HEAD = "gamesad recording 1\n"
CPU = "/sys/devices/platform/coretemp.0/hwmon/hwmon3/temp1_input"


def refused(path: Path) -> str:
    """The one sentence."""
    with pytest.raises(Failed) as failed:
        load(str(path))
    said = str(failed.value)
    assert said.startswith(str(path))
    assert "\n" not in said
    assert re.search(r"[;:?] ", said.removeprefix(f"{path}: ")), "what to do is missing"
    return said.removeprefix(f"{path}: ")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    root = tree(tmp_path_factory.mktemp("small"), INTEL_LAPTOP)
    return record(
        Sysfs(str(root)), times_s=[1.0, 2.0, 3.0], between=lambda at_s: rewrite(root, CPU, f"{61 + int(at_s)}000")
    )[0]


def cut(path: Path, whole: bytes, size: int, expected: Recording) -> int:
    """Loads the first ``size`` bytes, replays them, and says how many samples there were; -1 for none at all."""
    path.write_bytes(whole[:size])
    try:
        found = load(str(path))
    except Failed as failed:
        assert "the recorder was stopped at its start" in str(failed)
        return -1
    assert found.complete == (size == len(whole)) or found == expected
    if found.duration_s:
        assert found.samples == expected.samples[: len(found.samples)]
    else:
        told = found.samples[0].entries
        assert told == expected.samples[0].entries[: len(told)]
    Replay(found, Clock())
    return len(found.samples) if found.duration_s or found == expected else 0


def test_killed_at_any_byte_what_was_written_replays(small: Memory, tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(small.data)
    whole = load(str(path))
    assert whole.complete
    counts = [cut(path, small.data, size, whole) for size in range(len(small.data) + 1)]
    assert counts == sorted(counts), "more bytes never replay less"
    assert counts[0] == -1
    assert counts[-1] == len(whole.samples)
    for number, size in enumerate(small.writes[1:-1], 1):
        assert counts[size] >= (number if number > 1 else 0), "what was handed to the kernel counts"


def test_a_long_recording_cut_at_random_replays(tmp_path: Path) -> None:
    clock = Clock()
    machine = open_machine("desktop/compile", clock=clock)
    made, _totals = record(machine.sysfs, times_s=[float(second) for second in range(1, 60)], clock=clock)
    path = tmp_path / "cut.gz"
    path.write_bytes(made.data)
    whole = load(str(path))
    sizes = sorted(random.Random(4).sample(range(len(made.data)), 100))
    counts = [cut(path, made.data, size, whole) for size in sizes]
    assert counts == sorted(counts)
    assert counts[-1] > 50


def test_a_recording_as_plain_text_is_one_too(small: Memory, tmp_path: Path) -> None:
    packed, plain = tmp_path / "a.gz", tmp_path / "a.txt"
    packed.write_bytes(small.data)
    plain.write_bytes(gzip.decompress(small.data))
    assert load(str(plain)) == load(str(packed))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("at 0.000\nat soon\n", 'line 3: "at soon" is no time; it is written as: at 12.000'),
        ("at 0.000\nat 5.000\nat 4.000\n", "line 4: 4.000 comes after 5.000: time goes backwards"),
        ("at 0.000\nat 0.000\n", "line 3: 0.000 comes after 0.000: time goes backwards"),
        ("0444 /sys/../etc/shadow = x\n", 'line 2: the path "/sys/../etc/shadow" leaves /sys and /proc; do not trust'),
        ("/sys/x -> ../../etc/shadow\n", 'line 2: the link "/sys/x" leads out of the tree'),
        ("| more\n", "line 2: there is no text that it could go on with"),
        ("0444 /sys/a = 1\n0444 /sys/a/b = 1\n", "line 3: /sys/a is a file, and something is in it"),
        ("0444 /sys/a/b = 1\n0444 /sys/a = 1\n", "line 3: /sys/a is a folder elsewhere"),
        ("/sys/a -> b\n0444 /sys/a/b = 1\n", "line 3: /sys/a is a link, and something is in it"),
        ("at 0.000\nend\nat 1.000\n", 'line 4: "end" was the last line'),
        ("0444 /sys/a = \\xzz\n", "line 2: "),
        ("nonsense\n", 'line 2: "nonsense" is no line of a recording'),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, body: str, said: str) -> None:
    assert said in refused(put(tmp_path / "wrong.gz", HEAD + body))


def test_a_file_of_something_else_says_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\x7fELF\x02\x01\x01\x00" * 100 + b"\n")
    assert "not UTF-8" in refused(tmp_path / "x") or "no recording" in refused(tmp_path / "x")
    (tmp_path / "y").write_text("hello\n")
    assert 'line 1: is "hello", not "gamesad recording 1"' in refused(tmp_path / "y")
    assert "is of version 7, and this gamesad reads version 1" in refused(put(tmp_path / "z", "gamesad recording 7\n"))
    (tmp_path / "empty").write_bytes(b"")
    assert "holds not one whole line" in refused(tmp_path / "empty")
    assert "cannot be read: No such file" in refused(tmp_path / "nothing")


def test_damaged_data_are_found_and_never_a_traceback(small: Memory, tmp_path: Path) -> None:
    path = tmp_path / "damaged.gz"
    dice = random.Random(4)
    for _ in range(150):
        data = bytearray(small.data)
        data[dice.randrange(10, len(data))] ^= 1 << dice.randrange(8)
        path.write_bytes(data)
        refused(path)


def test_a_bomb_costs_neither_memory_nor_time(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    line = b"/sys/a = " + b"9" * 1000 + b"\n"
    bombs = (
        (b"\0" * (1 << 20), 1024, "longer than 64 KiB"),
        (b"#\n" * (1 << 19), 8, "2000000 lines"),
        (line * 1000, 80, "more than 64 MiB"),
    )
    for piece, times, said in bombs:
        packer = zlib.compressobj(1, wbits=31)
        with path.open("wb") as file:
            file.write(packer.compress(HEAD.encode()))
            for _ in range(times):
                file.write(packer.compress(piece))
            file.write(packer.flush())
        assert path.stat().st_size < 8 << 20
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started_s = time.process_time()
        assert said in refused(path)
        assert time.process_time() - started_s < 20
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 200 << 10


def test_a_line_without_end_is_no_recording(tmp_path: Path) -> None:
    assert "longer than 64 KiB" in refused(put(tmp_path / "a", f"{HEAD}0444 /sys/a = {'9' * (LONGEST_LINE * 2)}\n"))


_LINES = st.lists(
    st.sampled_from(
        ["at 0.000", "at 1.000", "end", "| x", "machine m", "0444 /sys/a = 1", "/sys/a = 2", "/sys/b -> a", "/sys/c/"]
    )
    | st.text(max_size=30),
    max_size=12,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_LINES)
def test_any_lines_replay_or_are_refused(tmp_path: Path, lines: list[str]) -> None:
    path = put(tmp_path / "any.gz", (HEAD + "".join(f"{line}\n" for line in lines)).encode(errors="surrogatepass"))
    try:
        found = load(str(path))
    except Failed as failed:
        assert "\n" not in str(failed)
        return
    clock = Clock()
    replay = Replay(found, clock)
    clock.now_s = 10.0
    replay.advance()


def test_the_example_in_the_documentation_is_a_recording(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "recording.md").read_text()
    block = page.split("one thing in a line:\n\n")[1].split("\n\n|")[0]
    path = tmp_path / "example.txt"
    path.write_text("".join(f"{line.strip()}\n" for line in block.splitlines()))
    found = load(str(path))
    assert (found.machine, found.made_by, found.complete, found.duration_s) == ("LENOVO 21AH", "0.1.0", True, 1.0)
    assert Replay(found, Clock()).sysfs.read("/sys/class/hwmon/hwmon3/temp1_input") == "61000"
