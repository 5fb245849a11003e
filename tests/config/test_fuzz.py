"""Whatever stands in a file, loading it gives a configuration or a list of faults, never anything else."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gamesad.config import load
from gamesad.config.scan import scan
from gamesad.errors import ConfigError

_WORDS = st.one_of(
    st.sampled_from(
        ["daemon", "observe", "limits", "temperatures_c", "bus", "max_holds", "inherits", "rank", "[daemon]"]
    ),
    st.sampled_from(["a", '"q.x"', "'l'", "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\n", "#", '"', "'", '"""']),
    st.sampled_from(
        ["true", "1", "-1", "1.5", "nan", "1979-05-27", "9" * 20, "\r\n", " ", "\t", "\0", "é", "\\", "'''"]
    ),
)
_TEXTS = st.one_of(
    st.lists(_WORDS, max_size=30).map(" ".join),
    st.lists(_WORDS, max_size=30).map("".join),
    st.text(max_size=80),
)
_FILES = st.one_of(_TEXTS.map(lambda text: text.encode(errors="surrogatepass")), st.binary(max_size=80))
_SETTINGS = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_SETTINGS
@given(_FILES, _FILES)
def test_any_bytes_load_or_are_refused_with_reasons(tmp_path: Path, main: bytes, profile: bytes) -> None:
    (tmp_path / "profiles.d").mkdir(exist_ok=True)
    (tmp_path / "gamesad.toml").write_bytes(main)
    (tmp_path / "profiles.d" / "p.toml").write_bytes(profile)
    try:
        config = load(str(tmp_path / "gamesad.toml"))
    except ConfigError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.startswith(str(tmp_path))
            assert "\n" not in problem
            assert len(problem) < 1500
    else:
        assert "balanced" in config.profiles


_KEYS = st.one_of(
    st.sampled_from(["a", "b-c", '"d.e"', "'f g'", "h.i"]), st.from_regex(r"[a-z0-9_-]{1,6}", fullmatch=True)
)
_VALUES = st.sampled_from(
    [
        "1",
        '"x = 1"',
        '"""\nx = 1\n"""',
        "'''\n# y\n'''",
        "[\n1, # ]\n2,\n]",
        "[\n[1],\n]",
        "{ k = 1, l.m = [1] }",
        '"\\""',
        "[[1], []]",
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[tuple[str, ...], int]]:
    """A TOML text and the line of each of its keys."""
    lines, expected = list[str](), dict[tuple[str, ...], int]()
    table: tuple[str, ...] = ()
    for number in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["key", "key", "key", "table", "comment"]))
        line = sum(text.count("\n") + 1 for text in lines) + 1
        if kind == "comment":
            lines.append("# [not] = 'this'")
        elif kind == "table":
            table = (f"t{number}", "u")
            lines.append(f"[ t{number} . 'u' ] # x = 1")
            expected[table] = line
        else:
            lines.append(f"  k{number}.{draw(_KEYS)} = {draw(_VALUES)}")
            key = lines[-1].split(" = ", 1)[0].strip()
            expected[table + _parts(key)] = line
    return "\n".join(lines), expected


def _parts(key: str) -> tuple[str, ...]:
    parts, data = [], tomllib.loads(f"{key} = 0")
    while isinstance(data, dict):
        name, data = next(iter(data.items()))
        parts.append(name)
    return tuple(parts)


@settings(max_examples=150, deadline=None)
@given(documents())
def test_the_scanner_finds_every_key_in_its_line(document: tuple[str, dict[tuple[str, ...], int]]) -> None:
    text, expected = document
    tomllib.loads(text)
    found = scan(text)
    assert found.again == []
    assert {path: found.lines.get(path) for path in expected} == expected


@settings(max_examples=200, deadline=None)
@given(_TEXTS)
@example('x = "' + "\\" * 10000)
@example('"""' * 3000)
def test_the_scanner_never_fails(text: str) -> None:
    scan(text)


@pytest.mark.parametrize("text", ["[" * 100000, '"' * 99999, "'''" * 30000, "a." * 50000, "{" * 100000, "\\" * 100000])
def test_pathological_files_are_refused_in_no_time(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text("x = " + text)
    with pytest.raises(ConfigError):
        load(str(path))
