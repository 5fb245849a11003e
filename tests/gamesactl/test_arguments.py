"""The command line, its help, and what is said when it is wrong."""

from __future__ import annotations

import pytest

from gamesactl.arguments import parse
from gamesactl.errors import Usage
from gamesactl.verb import Verb
from gamesactl.verbs import VERBS
from tests.support.client import gamesactl


def test_options_stand_before_or_after_words() -> None:
    one = parse(["hold", "gaming", "--for", "1h", "--json"])
    other = parse(["--json", "hold", "--for=1h", "gaming"])
    for arguments in (one, other):
        assert (arguments.words, arguments.option("for"), arguments.json) == (["gaming"], "1h", True)


def test_everything_after_the_dashes_belongs_to_the_command() -> None:
    arguments = parse(["launch", "-p", "quiet", "--", "make", "--json", "-j8"])
    assert arguments.rest == ["make", "--json", "-j8"]
    assert not arguments.json


def test_the_command_of_launch_may_come_without_dashes() -> None:
    assert parse(["launch", "-pquiet", "make", "--json", "-p"]).rest == ["make", "--json", "-p"]


def test_a_negative_number_is_a_value() -> None:
    assert parse(["limit", "sensor", "-5"]).word(1) == "-5"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("stauts", "unknown verb 'stauts' (did you mean status?); gamesactl --help lists them"),
        ("nueral", "unknown verb 'nueral' (did you mean neural?); gamesactl --help lists them"),
        ("", "a verb is missing, for example: gamesactl status; gamesactl --help lists them"),
        ("status --jsom", "unknown option --jsom (did you mean --json?); see: gamesactl status --help"),
        ("--keep set", "unknown option --keep (a verb comes first); see: gamesactl --help"),
        ("status now", "'now' is one word too many; usage: gamesactl status"),
        ("hold", "NAME is missing; usage: gamesactl hold NAME [--for TIME] [--reason TEXT]"),
        ("hold gaming --for", "--for needs a value: --for TIME"),
        ("status --json=yes", "--json takes no value"),
        ("launch -p quiet", "gamesactl launch [-p NAME] [--reason TEXT] [--anyway] -- CMD ...: the command is missing"),
        ("-- status", "a verb comes before --; gamesactl --help lists them"),
        ("hold gaming --for soon", "'soon' is not a duration; write 30s, 10m, 1h or 1h30m"),
        ("release all", "'all' is not a hold's number; gamesactl status lists the holds"),
        ("decisions -n 0", "--count: '0' is not a number from 1 to 1000"),
        ("monitor -n x", "--count: 'x' is not a number above 0"),
        ("limit sensor", "a value is missing: gamesactl limit sensor 85; without a sensor the limits are listed"),
        ("set a b --keep --revert-after 5s", "--keep and --revert-after exclude each other"),
        ("config edit", "config 'edit': it is check or show"),
    ],
)
def test_a_wrong_line_is_answered_with_what_would_be_right(line: str, sentence: str) -> None:
    said = gamesactl(*line.split())
    assert (said.code, said.out, said.err) == (2, "", f"gamesactl: {sentence}\n")


def test_help_lists_every_verb_and_the_exit_codes() -> None:
    said = gamesactl("--help")
    assert said.code == 0
    for verb in VERBS:
        assert f"  {verb.name} " in said.out
    assert "3 daemon not reachable" in " ".join(said.out.split())


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_explains_itself_with_examples(verb: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    said = gamesactl(verb.name, "--help")
    assert said.code == 0
    assert said.out.startswith(f"usage: gamesactl {verb.name}")
    assert "Examples:" in said.out
    prose = [line for line in said.out.splitlines() if not line.startswith("  gamesactl") and "sudo" not in line]
    assert max(map(len, prose)) <= 60


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_example_is_a_command_line_that_is_understood(verb: Verb) -> None:
    for command, _meaning in verb.examples:
        words = command.partition("|")[0].partition(">")[0].removeprefix("sudo ").replace("'CPU package'", "x").split()
        assert parse(words[1:]).verb is verb


def test_unknown_errors_are_usage_errors() -> None:
    with pytest.raises(Usage):
        parse(["nothing", "status"])


def test_the_last_word_may_be_many_where_the_verb_takes_many() -> None:
    found = parse(["neural", "evaluate", "a.csv", "b.csv", "--plot", "p.png", "c.csv"])
    assert (found.words, found.option("plot")) == (["evaluate", "a.csv", "b.csv", "c.csv"], "p.png")
