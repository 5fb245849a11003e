"""The layout: nothing overlaps, texts come back as they were, and docs/crystal-core.md says the same numbers."""

from __future__ import annotations

import re
from pathlib import Path
from struct import calcsize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.crystal import layout
from gamesad.crystal.header import Geometry, Header, build

PAGE = Path(__file__).parents[2] / "docs" / "crystal-core.md"

words = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
plain = st.one_of(words, st.integers(-(2**63), 2**63), st.floats(allow_nan=False), st.booleans())
texts = st.recursive(
    st.dictionaries(words.filter(bool), plain, max_size=4),
    lambda inner: st.dictionaries(words.filter(bool), st.one_of(plain, inner.filter(bool)), max_size=4),
    max_leaves=12,
)


@given(texts)
def test_a_text_comes_back_as_it_was(fields: layout.Texts) -> None:
    assert layout.from_text(layout.to_text(fields)) == fields


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_any_text_is_fields_or_a_value_error(text: str) -> None:
    try:
        fields = layout.from_text(text)
    except ValueError:
        return
    assert isinstance(fields, dict)


def test_tabs_and_line_ends_cannot_add_fields() -> None:
    told = layout.to_text({"Reason": "hot\ns\tMode\tfailsafe", "a\tb": 1})
    assert layout.from_text(told) == {"Reason": "hot s Mode failsafe", "a b": 1}


def test_a_text_nests_no_deeper_than_anybody_needs() -> None:
    layout.from_text("\t".join(["i", *"abcdefgh", "1"]) + "\n")
    with pytest.raises(ValueError, match="with 9 keys"):
        layout.from_text("\t".join(["i", *"abcdefghi", "1"]) + "\n")


@given(
    columns=st.integers(1, 300), tunables=st.integers(0, 300), decisions=st.integers(1, 5000),
    rows=st.tuples(*[st.integers(1, 9000)] * 3), pool_max=st.integers(layout.POOL_HEAD + 1, layout.POOL_MAX),
)  # fmt: skip
def test_sections_lie_one_behind_the_other_each_in_its_line_of_cache(
    columns: int, tunables: int, decisions: int, rows: tuple[int, int, int], pool_max: int
) -> None:
    rings = tuple(zip(rows, (1, 10, 300), strict=True))
    geometry = Geometry(columns, tunables, decisions, rings, pool_max)
    end = layout.HEADER_SIZE
    for offset, length in geometry.sections:
        assert offset >= end
        assert offset % layout.ALIGN == 0
        end = offset + length
    assert geometry.sections[layout.POOL][0] % layout.PAGE == 0
    header = Header(bytes(build(geometry, "1.2.3")), "here")
    assert (header.sections, header.version) == (geometry.sections, "1.2.3")
    assert [getattr(header.geometry, name) for name in Geometry.__slots__] == [
        getattr(geometry, name) for name in Geometry.__slots__
    ]


def test_the_header_is_read_at_the_places_that_have_names() -> None:
    sizes = (layout.LENGTH_AT, layout.GENERATION_AT, layout.STATE_AT, layout.FLAGS_AT, layout.HEARTBEAT_AT)
    ends = (layout.STALE_AFTER_AT, layout.STARTED_AT, layout.PID_AT)
    formats = layout.CHANGING.format.lstrip("<")
    assert [layout.LENGTH_AT + calcsize("<" + formats[:place]) for place in range(8)] == [*sizes, *ends]


def documented(heading: str) -> list[tuple[str, str]]:
    """Offset and type of each row of the table under a heading of the page."""
    _, _, rest = PAGE.read_text().partition(f"\n### {heading}\n")
    assert rest, f"{PAGE} has no heading {heading!r}"
    table = rest.partition("\n#")[0]
    return re.findall(r"^\| (\d+) \| ([^|]+) \|", table, re.MULTILINE)


_KINDS = {
    "u8": "B",
    "u16": "H",
    "u32": "I",
    "u64": "Q",
    "i64": "q",
    "f32": "f",
    "f64": "d",
    "bytes": "s",
    "unused": "x",
}


def as_format(rows: list[tuple[str, str]]) -> str:
    """A struct format out of documented rows, whose offsets must be what the types add up to."""
    made = "<"
    for offset, kind in rows:
        assert calcsize(made) == int(offset), (offset, kind)
        name, _, count = kind.strip().partition(" × ")
        made += f"{count}{_KINDS[name]}"
    return made


def same(one: str, other: str) -> bool:
    """Whether two formats are the same fields, however they are written."""

    def spelled(text: str) -> str:
        parts = re.findall(r"(\d*)([a-zA-Z])", text.replace(" ", ""))
        return "".join(f"{count}s" if kind == "s" else kind * int(count or 1) for count, kind in parts)

    return spelled(one) == spelled(other)


@pytest.mark.parametrize(
    ("heading", "struct"),
    [
        ("Head of latest", layout.LATEST_HEAD),
        ("A forecast", layout.FORECAST),
        ("Head of the directory", layout.DIRECTORY_HEAD),
        ("A column", layout.COLUMN),
        ("A tunable", layout.TUNABLE),
        ("A decision", layout.DECISION_HEAD),
        ("A row of history", layout.ROW_HEAD),
        ("A block", layout.BLOCK),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_page_and_the_code_agree_on_every_field(heading: str, struct: object) -> None:
    expected = getattr(struct, "format", "")
    assert same(as_format(documented(heading)), expected), expected


def test_the_page_and_the_code_agree_on_the_first_page() -> None:
    expected = {
        0: "bytes × 8", 8: "u32", 12: "u32", layout.LENGTH_AT: "u64", layout.GENERATION_AT: "u64",
        layout.STATE_AT: "u32",
        layout.FLAGS_AT: "u32", layout.HEARTBEAT_AT: "u64", layout.STALE_AFTER_AT: "u64", layout.STARTED_AT: "u64",
        layout.PID_AT: "u32", layout.SECTIONS_AT: f"u64 × {2 * layout.SECTIONS}", layout.GEOMETRY_AT: "u32 × 8",
        layout.GEOMETRY_AT + 32: "u32 × 6", layout.VERSION_AT: f"bytes × {layout.VERSION.size}",
        layout.STATIC_CRC_AT: "u32",
    }  # fmt: skip
    assert {int(offset): kind.strip() for offset, kind in documented("The first page")} == expected


def test_the_reader_in_c_stands_in_the_page_and_each_guarantee_names_tests_that_there_are() -> None:
    text = PAGE.read_text()
    assert f"```c\n{(Path(__file__).with_name('reader.c')).read_text()}```\n" in text
    named = re.findall(r"`(test_\w+)`", text)
    everything = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py"))
    assert len(named) > 15
    assert [name for name in named if f"def {name}(" not in everything] == []
