"""What reaches a terminal fits it and cannot steer it."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from gamesactl.render import Column, cells, elide, number, reading, setting, table, to_json, wrap
from gamesactl.terminal import Style, harmless

PLAIN = Style(color=False)
COLUMNS = (Column("NAME", shrink=10), Column("VALUE", right=True), Column("NOTE", wraps=True))


def test_columns_are_aligned_by_what_a_terminal_shows() -> None:
    rows = [["temp", "72.4 °C", ""], ["温度", "9 °C", ""]]
    assert table(COLUMNS, rows, 80, PLAIN) == ["NAME    VALUE", "temp  72.4 °C", "温度     9 °C"]


def test_a_column_that_says_nothing_is_left_out() -> None:
    assert table(COLUMNS, [["a", "–", ""]], 80, PLAIN) == ["NAME", "a"]


def test_a_long_note_goes_on_below_itself() -> None:
    rows = [["a", "1", "one two three four five six seven"]]
    assert table(COLUMNS, rows, 34, PLAIN) == [
        "NAME  VALUE  NOTE",
        "a         1  one two three four",
        "             five six seven",
    ]


@given(
    st.lists(st.tuples(st.text(max_size=60), st.text(max_size=10), st.text(max_size=80)), min_size=1, max_size=5),
    st.integers(50, 120),
)
def test_no_line_of_a_table_is_wider_than_asked(rows: list[tuple[str, str, str]], width: int) -> None:
    shown = [[harmless(part, 40) for part in row] for row in rows]
    for line in table(COLUMNS, [[row[0], row[1][:10], row[2]] for row in shown], width, PLAIN):
        assert cells(line) <= width, line


@given(st.text(max_size=200), st.integers(10, 60))
def test_wrapped_text_loses_no_word_and_fits(text: str, width: int) -> None:
    lines = wrap(harmless(text), width)
    assert all(cells(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == harmless(text).replace(" ", "")


def test_colour_takes_no_room() -> None:
    colored = table(COLUMNS, [[("a", "bad"), "1", ""], ["bb", "22", ""]], 80, Style(color=True))
    assert colored[1] == "\x1b[31ma\x1b[0m         1"


def test_a_long_name_keeps_both_ends() -> None:
    assert elide("hwmon.k10temp-pci-00c3.temp1", 15) == "hwmon.k…3.temp1"
    assert cells(elide("温度温度温度", 7)) <= 7


def test_what_steers_a_terminal_is_spelled_out() -> None:
    assert harmless("\x1b[2J\x07\n\x9b31m") == "\\x1b[2J\\x07\\x0a\\x9b31m"
    assert harmless("user\u202egnp.exe") == "user\\u202egnp.exe"
    assert harmless("°C → µW") == "°C → µW"
    assert len(harmless("x" * 100_000)) == 400


@given(st.text())
def test_nothing_that_moves_a_cursor_is_left(text: str) -> None:
    shown = harmless(text)
    assert not any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for letter in shown)
    shown.encode()


def test_unknown_is_a_dash_and_never_zero() -> None:
    assert reading({"Unit": "°C"}) == "–"
    assert reading({"Unit": "°C", "Value": math.nan}) == "–"
    assert reading({"Unit": "W", "Value": True}) == "–"
    assert setting(None, "kHz") == "–"
    assert number({"a": "7"}, "a") is None


def test_json_is_ascii_and_has_no_nan() -> None:
    text = to_json({"Unit": "°C", "Value": math.nan, "Text": "\x9b31m", "Deep": [math.inf]})
    assert text.isascii()
    assert json.loads(text) == {"Unit": "°C", "Value": None, "Text": "\x9b31m", "Deep": [None]}
