"""One line and back: whatever a kernel file holds, and nothing that is not of the format."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.recording.lines import Entry, Wrong, check_first, entry, escape, inside, time_s, unescape

PARTS = st.text(min_size=1, max_size=12).filter(
    lambda part: part not in (".", "..") and "/" not in part and "\0" not in part
)
PATHS = st.lists(PARTS, max_size=3).map(lambda parts: "/".join(["/sys", *parts, "x"]))


@given(st.binary(max_size=60))
def test_any_text_is_one_printable_line_and_comes_back(raw: bytes) -> None:
    line = escape(raw)
    assert line.replace("\t", "").isprintable()
    assert unescape(line) == raw


@settings(max_examples=200)
@given(path=PATHS, content=st.binary(max_size=40), mode=st.none() | st.integers(0, 0o777))
def test_a_file_comes_back_as_it_was(path: str, content: bytes, mode: int | None) -> None:
    made = Entry(path, content=content, mode=mode)
    first, *more = made.lines()
    found = entry(first)
    texts = [found.content, *(unescape(line.removeprefix("| ")) for line in more)]
    assert (found.path, found.mode) == (path, mode)
    assert b"\n".join(text for text in texts if isinstance(text, bytes)) == content


@given(path=PATHS, parts=st.lists(PARTS, min_size=1, max_size=3))
def test_a_link_a_folder_and_a_refusal_come_back(path: str, parts: list[str]) -> None:
    for made in (
        Entry(path, target="/".join(["/sys", *parts])),
        Entry(path),
        Entry(path, content="EACCES", mode=0o400),
    ):
        assert entry(*made.lines()) == made


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0444 /sys/../etc/shadow = x", "leaves /sys and /proc"),
        ("0444 /etc/shadow = x", "leaves /sys and /proc"),
        ("/sys/x -> ../../../etc/shadow", "leads out of the tree"),
        ("/sys/x -> /etc/shadow", "leads out of the tree"),
        ("/sys/class/x -> ../../../../dev/mem", "leads out of the tree"),
        ("0999 /sys/x = 5", "is no line of a recording"),
        ("/sys/x = 5\\q", "neither \\\\ nor \\xNN"),
        ("/sys/x ! because", "is no reason"),
        ("sys/x = 5", "is no line of a recording"),
        ("\x1b[2J", "is no line of a recording"),
        ("/sys/a/./b = 5", "leaves /sys and /proc"),
        (f"/sys/class/hwmon/hwmon{'9' * 5000}/name = k10temp", "a name longer than 255 letters"),
        (f"/sys/class/hwmon/hwmon1 -> ../../devices/foo.{'9' * 5000}", "a name longer than 255 letters"),
    ],
)
def test_what_is_not_of_the_format_is_named_with_a_remedy(line: str, said: str) -> None:
    with pytest.raises(Wrong) as wrong:
        entry(line)
    assert said in str(wrong.value)
    assert ";" in str(wrong.value)
    assert str(wrong.value).isprintable()


@given(st.text(max_size=80))
def test_any_line_is_an_entry_or_wrong(line: str) -> None:
    try:
        found = entry(line)
    except Wrong:
        return
    assert found.path.startswith(("/sys", "/proc"))


@pytest.mark.parametrize("line", ["at soon", "at -1.000", "at 1", "at 1e3", "at 12.000 s", "at nan"])
def test_a_time_that_is_none_is_wrong(line: str) -> None:
    with pytest.raises(Wrong, match="is no time"):
        time_s(line)


def test_another_version_says_which_is_read() -> None:
    with pytest.raises(Wrong, match="is of version 2, and this gamesad reads version 1"):
        check_first("gamesad recording 2")
    for line in ("PK\x03\x04", f"gamesad recording {'9' * 5000}"):
        with pytest.raises(Wrong, match="this is no recording of gamesad"):
            check_first(line)


@pytest.mark.parametrize(
    ("path", "target", "stays"),
    [
        ("/sys/class/hwmon/hwmon0", "../../devices/x", True),
        ("/sys/class/hwmon/hwmon0", "../../../proc/x", True),
        ("/sys/class/hwmon/hwmon0", "../../../x", False),
        ("/sys/class/hwmon/hwmon0", "../../../../sys/x", False),
        ("/sys/a", "/sys/b/../../../sys/c", False),
        ("/sys/a", ".", True),
    ],
)
def test_where_a_link_may_lead(path: str, target: str, stays: bool) -> None:
    assert inside(path, target) is stays
