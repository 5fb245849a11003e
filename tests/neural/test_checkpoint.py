"""Checkpoints: bit-identical, and whatever is not as gamesad writes it is set aside, told once, and harms nothing."""

from __future__ import annotations

import io
import os
import stat
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamesad.durable import DurableFile
from gamesad.journal import Fields
from gamesad.messages import Message
from gamesad.neural import checkpoint
from gamesad.neural.checkpoint import NAME, SIZE_MOST, Header, pack, unpack
from gamesad.neural.model import Unusable
from gamesad.neural.shelf import Shelf

HEADER = Header("a machine", 7, 123.5)
MODELS = {
    "forecast": {"weights": np.arange(12.0).reshape(3, 4), "names": np.array(["a", "bé"]), "flag": np.ones((), bool)},
    "policy": {"steps": np.array(5), "nothing": np.zeros((0, 3)), "unknown": np.array([np.nan, -np.inf])},
}


class Told(list[tuple[Message, str, Fields]]):
    def __call__(self, message: Message, text: str, fields: Fields) -> None:
        self.append((message, text, fields))

    @property
    def messages(self) -> list[Message]:
        return [message for message, *_ in self]


def shelf(folder: Path, told: Told, machine: str = "a machine") -> Shelf:
    return Shelf(str(folder), machine, told)


def kept(folder: Path) -> Path:
    """A file as it is written."""
    folder.mkdir(exist_ok=True)
    (folder / NAME).write_bytes(pack(HEADER, MODELS))
    return folder / NAME


def rewritten(data: bytes, change: Callable[[dict[str, bytes]], None], compression: int = zipfile.ZIP_STORED) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def test_what_was_saved_comes_back_bit_by_bit() -> None:
    header, models = unpack(pack(HEADER, MODELS), machine="a machine")
    assert header == HEADER
    assert {name: set(state) for name, state in models.items()} == {name: set(state) for name, state in MODELS.items()}
    for name, state in MODELS.items():
        for key, array in state.items():
            found = models[name][key]
            assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())
            assert found.flags.writeable


def test_a_file_is_there_for_root_alone_once_the_disk_has_it(tmp_path: Path) -> None:
    told, outcomes = Told(), list[str]()
    one = shelf(tmp_path / "neural", told)
    one.save(replace(HEADER, saved_s=1000.0), MODELS, outcomes.append)
    one.tend(10.0)
    assert (outcomes, told, one.checkpoints, one.saved_s) == ([""], [], 1, 1000.0)
    path = tmp_path / "neural" / NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert shelf(tmp_path / "neural", told).load() is not None
    assert [entry.name for entry in path.parent.iterdir()] == [NAME]


def flipped(data: bytes) -> bytes:
    at = data.index(np.arange(12.0).tobytes()) + 40
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def pickled(data: bytes) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([{"an": "object"}]), allow_pickle=True)
    return rewritten(data, lambda members: members.update({"forecast/weights.npy": file.getvalue()}))


def claimed(data: bytes) -> bytes:
    """An array that says it is 8 TB."""
    huge = np.lib.format.header_data_from_array_1_0(np.zeros(1)) | {"shape": (1 << 40,)}
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, huge)
    return rewritten(data, lambda members: members.update({"forecast/weights.npy": file.getvalue()}))


def without(name: str) -> Callable[[bytes], bytes]:
    return lambda data: rewritten(data, lambda members: [members.pop(name)])


def of_schema(number: object) -> Callable[[bytes], bytes]:
    """Everything else right, the checksum too."""

    def made(_data: bytes) -> bytes:
        return pack(Header("a machine", 7, 1.0, schema=number), MODELS)  # type: ignore[arg-type]

    return made


BAD: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _data: b"",
    "text": lambda _data: b"what is this",
    "cut in half": lambda data: data[: len(data) // 2],
    "one byte short": lambda data: data[:-1],
    "one bit of a weight": flipped,
    "an object": pickled,
    "a huge array": claimed,
    "no checksum": without("checksum.npy"),
    "no header": without("header.npy"),
    "a model less": without("policy/steps.npy"),
    "compressed": lambda data: rewritten(data, lambda _members: None, zipfile.ZIP_DEFLATED),
    "one more": lambda data: rewritten(data, lambda members: members.update({"x.npy": members["header.npy"]})),
    "of another schema": of_schema(2),
    "of no schema": of_schema(None),
    "of another machine": lambda _data: pack(Header("another", 7, 1.0), MODELS),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_set_aside_and_told_once_with_its_name(what: str, tmp_path: Path) -> None:
    path = kept(tmp_path)
    bad = BAD[what](path.read_bytes())
    path.write_bytes(bad)
    told = Told()
    one = shelf(tmp_path, told)
    assert one.load() is None
    assert told.messages == [Message.MODELS_SET_ASIDE]
    text = told[0][1]
    assert str(path) in text
    assert "set-aside" in text
    assert (tmp_path / f"{NAME}.set-aside").read_bytes() == bad, "nothing is lost"
    assert not path.exists()
    assert one.set_aside == 1
    assert shelf(tmp_path, told).load() is None
    assert len(told) == 1


def test_a_second_bad_file_does_not_replace_the_first_and_their_number_is_bounded(tmp_path: Path) -> None:
    for number in range(15):
        (tmp_path / NAME).write_bytes(b"bad %d" % number)
        assert shelf(tmp_path, Told()).load() is None
    assert len(list(tmp_path.iterdir())) == 10
    assert (tmp_path / f"{NAME}.set-aside").read_bytes() == b"bad 0"


def test_a_bomb_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.npy", bytes(200 << 20))
    (tmp_path / NAME).write_bytes(file.getvalue())
    tracemalloc.start()
    try:
        assert shelf(tmp_path, Told()).load() is None
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / NAME).open("wb") as file:
        file.truncate(SIZE_MOST + 1)
    told = Told()
    assert shelf(tmp_path, told).load() is None
    assert "larger than" in told[0][1]


@pytest.mark.parametrize("kind", ["link", "folder", "fifo"])
def test_what_is_no_file_is_set_aside_and_its_target_left_alone(kind: str, tmp_path: Path) -> None:
    target, path, told = tmp_path / "target", tmp_path / "neural" / NAME, Told()
    path.parent.mkdir()
    target.write_bytes(pack(HEADER, MODELS))
    {"link": lambda: path.symlink_to(target), "folder": path.mkdir, "fifo": lambda: os.mkfifo(path)}[kind]()
    assert shelf(path.parent, told).load() is None
    assert told.messages == [Message.MODELS_SET_ASIDE]
    assert target.read_bytes() == pack(HEADER, MODELS)
    assert not os.path.lexists(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(st.data())
def test_no_damage_gets_past_the_check(data: st.DataObject) -> None:
    whole = pack(HEADER, MODELS)
    at = data.draw(st.integers(0, len(whole) - 1))
    bad = bytearray(whole)
    bad[at] ^= data.draw(st.integers(1, 255))
    try:
        header, models = unpack(bytes(bad), machine="a machine")
    except Unusable:
        return
    assert header == HEADER, "a bit that zip itself does not care for"
    assert pack(header, models) == whole


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    for data in (content, b"PK\x03\x04" + content, pack(HEADER, MODELS)[:100] + content):
        with pytest.raises(Unusable, match="damaged"):
            unpack(data, machine="a machine")


class Refusing(DurableFile):
    def keep(self, data: bytes | None, patience_s: float | None = None) -> None:
        raise OSError(28, "No space left on device", self.path)


def test_a_full_disk_is_told_once_and_its_end_once(tmp_path: Path) -> None:
    told, outcomes = Told(), list[str]()
    one = shelf(tmp_path, told)
    good, one._file = one._file, Refusing(one.path)
    for _ in range(3):
        one.save(HEADER, MODELS, outcomes.append)
    assert outcomes == [f"{one.path}: No space left on device"] * 3
    assert told.messages == [Message.MODELS_UNSAVED]
    assert told[0][2] == {"path": one.path}
    one._file = good
    for _ in range(2):
        one.save(HEADER, MODELS, outcomes.append)
        one.tend(10.0)
    assert told.messages == [Message.MODELS_UNSAVED, Message.MODELS_SAVED]
    assert outcomes[3:] == ["", ""]


def test_a_folder_that_cannot_be_made_is_told_and_nothing_raised(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    told = Told()
    one = shelf(tmp_path / "file" / "neural", told)
    assert one.load() is None
    one.save(HEADER, MODELS)
    one.tend(10.0)
    assert set(told.messages) == {Message.MODELS_UNSAVED}


def test_a_silent_disk_holds_up_nobody_and_is_told_at_the_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading  # noqa: PLC0415 - for this one

    answers = threading.Event()
    monkeypatch.setattr("gamesad.durable.replace", lambda *_arguments, **_more: answers.wait(60.0))
    monkeypatch.setattr("gamesad.neural.shelf.AT_LAST_S", 0.05)
    told, outcomes = Told(), list[str]()
    one = shelf(tmp_path, told)
    one.save(HEADER, MODELS, outcomes.append)
    assert one.tend() is True, "somebody waits"
    assert (outcomes, told) == ([], [])
    one.close()
    assert told.messages == [Message.MODELS_UNSAVED]
    assert outcomes == [f"{one.path}: the disk does not answer, and gamesad stops"]
    answers.set()


def test_it_is_written_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    """A writer killed before the rename leaves the file of before, and the next write goes through."""
    path = kept(tmp_path)
    (tmp_path / f"{NAME}.new").write_bytes(b"half")
    told = Told()
    one = shelf(tmp_path, told)
    assert one.load() is not None
    one.save(Header("a machine", 8, 1.0, saved_s=2.0), MODELS)
    one.tend(10.0)
    assert unpack(path.read_bytes(), machine="a machine")[0].seed == 8
    assert [entry.name for entry in tmp_path.iterdir()] == [NAME]


def test_the_file_is_read_without_objects() -> None:
    """``pack`` refuses what would need them."""
    with pytest.raises(ValueError, match="an array of object cannot be kept"):
        pack(HEADER, {"forecast": {"bad": np.array([object()])}})
    assert checkpoint.SCHEMA == 1
