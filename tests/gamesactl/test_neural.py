"""What is said of the models, of what they would have done, and of what a recording shows of them."""

from __future__ import annotations

import re
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from gamesactl import executable
from tests.gamesactl.answers import FORECAST, NEURAL, STATUS
from tests.support.client import NOBODY, FakeDaemon, Said, as_user, gamesactl, text
from tests.support.private_bus import PrivateBus

ADVISE = "advise: what it proposes is shown as advice, the rules decide"


def test_the_status_tells_what_is_learnt_and_how_good_it_is(
    daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    said = gamesactl("neural", "status")
    assert (said.code, said.err) == (0, "")
    assert re.sub(r"\([\d hd]+\)", "(AGO)", said.out) == text("""
Models       learning; takes 0.42 ms a second, 2 ms at most
Gave way     training 3 times
Forecast     1 to 5 s ahead, upper bounds for 90 %
Policy       shadow: it proposes, the rules decide
Proposes     throttle: the package will be 96 °C in 4 s
Worth        0.121 (0.083 to 0.159), the rules 0.104; doubly robust
Anomalies    1 now, 0.34 a week so far, 1 false a week at most
             CPU package 14 °C above what 28 W usually give since 2025-11-27 19:00:00 (AGO)
             2025-11-27 19:00:00 to 2025-11-27 19:01:00: fan 1 stands still
Saved        2025-11-27 18:55:00, models put back: 1, 2 MiB

SENSOR                         LABEL        SKILL  HOLDS     ERROR  UNCHANGED  SAMPLES
hwmon.coretemp-isa-0000.temp1  CPU package   14 %   91 %  0.421 °C   0.491 °C     7200
hwmon.nvme-pci-0100.temp1      Composite     -1 %      –         –          –       12
""")
    monkeypatch.setenv("COLUMNS", "140")
    assert "7200  ridge 61 %, network 26 %, persistence 13 %\n" in gamesactl("neural", "status").out


def test_on_a_narrow_terminal_the_less_important_goes(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "44")
    lines = gamesactl("neural", "status").out.splitlines()
    assert max(map(len, lines)) <= 44
    assert lines[-3].split() == ["SENSOR", "SKILL", "HOLDS", "ERROR"]
    assert lines[-2].startswith("hwmon.core…")


def test_what_is_not_known_is_not_invented(daemon: FakeDaemon) -> None:
    daemon.answer(neural={"State": "numpy cannot be imported (apt install python3-numpy)"})
    line = "numpy cannot be imported (apt install python3-numpy)"
    assert gamesactl("neural", "status") == (0, f"Models       {line}\n", "")
    assert gamesactl("neural", "shadow") == (1, "", f"gamesactl: there is no policy: {line}\n")
    daemon.answer(neural={"State": "learning", "Policy": {"Mode": "shadow", "Proposals": []}})
    assert gamesactl("neural", "shadow").out == text("""
Policy       shadow: it proposes, the rules decide
Worth        not known yet
no proposals yet
""")
    wrong: dict[str, Any] = {
        "State": 3,
        "Forecast": {"Sensors": [{}], "Horizons": "x"},
        "Life": [],
        "Policy": {"Inputs": 1},
    }
    daemon.answer(neural={**wrong, "Anomalies": {"Active": [{"Since": "x"}], "Recent": {}, "Rate": True}})
    for what in ("status", "shadow"):
        assert gamesactl("neural", what).code == 0


def test_hostile_words_do_not_reach_the_terminal(daemon: FakeDaemon) -> None:
    odd = {"Sentence": "\x1b[2J odd", "Sensor": "\x9bx"}
    policy = {"Mode": "act\x07", "Inputs": {"\u202e": 1.0}, "Reason": "\x1b]0;x", "Proposed": "boost"}
    forecast = {"Sensors": [{"Sensor": "\x1b[2J", "Members": {"\x1b[2J": 0.5}}]}
    daemon.answer(neural={"State": "\x1b[2J", "Policy": policy, "Forecast": forecast, "Anomalies": {"Active": [odd]}})
    for what in ("status", "shadow"):
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(gamesactl("neural", what).out), what


def test_shadow_shows_what_the_policy_would_have_done(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert gamesactl("neural", "shadow").out == text("""
Policy       shadow: it proposes, the rules decide
Proposes     throttle: the package will be 96 °C in 4 s
Worth        0.121 (0.083 to 0.159), the rules 0.104; doubly robust
Learnt from  5400 steps, in 120 of them chosen by chance where it made no
             difference
It sees      headroom 1.6, cpu 0.534

TIME                 WOULD DO  IN FORCE  REASON
2025-11-27 19:00:01  throttle  noop      4 GHz; 96 °C in 4 s
2025-11-27 18:59:50  noop      noop      cool enough
""")


@pytest.mark.parametrize(
    ("line", "document", "sentence", "asked"),
    [
        ("checkpoint", {"Checkpoint": 1764269700.0}, "saved at 2025-11-27 18:55:00", ["checkpoint"]),
        ("reset", {"Reset": "all"}, "forgotten: all; learning begins anew", ["reset", "all"]),
        ("reset forecast", {"Reset": "forecast"}, "forgotten: forecast; learning begins anew", ["reset", "forecast"]),
        (
            "mode advise", {"Mode": "advise"},
            f"{ADVISE}, until the next start or reload; neural.policy = \"advise\" in the configuration keeps it",
            ["mode", "advise"],
        ),
    ],
)  # fmt: skip
def test_what_is_learnt_is_saved_forgotten_and_given_its_say(
    daemon: FakeDaemon, line: str, document: Any, sentence: str, asked: list[str]
) -> None:
    assert gamesactl("neural", *line.split()) == (0, f"{sentence}\n", "")
    assert gamesactl("neural", *line.split(), "--json").document == document
    assert daemon.asked == [asked, asked]


def test_json_is_what_the_bus_says(daemon: FakeDaemon) -> None:
    assert gamesactl("neural", "status", "--json").document == NEURAL
    assert gamesactl("neural", "shadow", "--json").document == NEURAL["Policy"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "status|shadow|mode|checkpoint|reset|evaluate is missing; usage: gamesactl neural "),
        ("statsu", "neural 'statsu' (did you mean status?): it is status, shadow, mode, checkpoint, reset or evaluate"),
        ("status now", "neural status takes no word; 'now' is one too many"),
        ("mode", "which? gamesactl neural mode WORD: it is shadow, advise or act"),
        ("mode shado", "neural mode 'shado' (did you mean shadow?): it is shadow, advise or act"),
        ("mode act now", "neural mode takes one word; 'now' is one too many"),
        ("reset everything", "neural reset 'everything': it is all, forecast, policy or anomaly"),
        ("status --plot x.png", "--plot goes with evaluate: gamesactl neural evaluate FILE --plot PNG"),
        ("evaluate", "which recordings? gamesactl neural evaluate FILE ..."),
    ],
)
def test_what_is_wrong_is_said_in_one_line(daemon: FakeDaemon, line: str, sentence: str) -> None:
    said = gamesactl("neural", *line.split())
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith(f"gamesactl: {sentence}")
    assert daemon.asked == []


def test_another_user_may_look_and_not_touch(daemon: FakeDaemon) -> None:
    looked, *touched = as_user(NOBODY, *(f"neural {what}" for what in ("status", "checkpoint", "reset", "mode act")))
    assert looked.code == 0
    assert [said.code for said in touched] == [4, 4, 4]
    assert daemon.asked == []


def test_status_explain_and_monitor_tell_what_is_likely_and_what_is_odd(
    daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    daemon.answer(status={**STATUS, "Forecast": FORECAST, "Anomalies": ["fan 1 stands\x1b still", "a disk is warm"]})
    ahead = "CPU package 96.1 °C in 5 s, at most 98.0 °C: 62 % that it reaches its limit"
    out = gamesactl("status").out
    assert f"\nForecast     {ahead}\nOdd          fan 1 stands\\x1b still\n             a disk is warm\n" in out
    explained = gamesactl("explain").out
    assert f"\nForecast: {ahead}.\n" in explained
    assert "\nUnlike what is usual here: a disk is warm.\n" in explained
    assert gamesactl("monitor", "-n1").out.endswith("  odd: fan 1 stands\\x1b still  odd: a disk is warm\n")
    daemon.answer(status={**STATUS, "Forecast": {**FORECAST, "Crossing": 0.49}})
    assert "Forecast" not in gamesactl("status").out
    daemon.answer(status={**STATUS, "Forecast": "warm", "Anomalies": 3, "Advice": 4})
    assert gamesactl("status").code == 0


def test_status_and_explain_tell_what_the_policy_advises(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert "advises" not in gamesactl("status").out + gamesactl("explain").out
    daemon.answer(status={**STATUS, "Advice": "throttle: worth\x1b +0.250 a second against doing nothing"})
    line = "he learnt policy advises throttle: worth\\x1b +0.250 a second against doing nothing"
    assert f"\nAdvice       t{line}\n" in gamesactl("status").out
    line = line.replace("advises", "advises:")
    assert f"\nT{line}; the rules decide.\n" in gamesactl("explain").out


SCORER = """#!{python}
import sys
print(sys.argv[1:] if "--json" not in sys.argv else '{{"Files":' + chr(10) + "[1]}}")
if "bad.csv" in sys.argv:
    print("gamesad: good.csv: 3 rows without a time", file=sys.stderr)
    print("gamesad: bad.csv:3: no temperature in it; see gamesad --help", file=sys.stderr)
    sys.exit(1)
"""


def evaluated(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str) -> Said:
    """With a gamesad that says what it was asked."""
    program = folder / "gamesad"
    program.write_text(SCORER.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(executable, "executable", lambda: [str(program)])
    return gamesactl("neural", "evaluate", *words)


def test_a_recording_is_scored_by_gamesad_itself(
    empty_bus: PrivateBus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = evaluated(monkeypatch, tmp_path, "a.csv", "--plot", "a.png", "--", "-b.csv")
    assert said == (0, "['--evaluate', 'a.csv', './-b.csv', '--plot', 'a.png']\n", "")
    assert evaluated(monkeypatch, tmp_path, "a.csv", "--json") == (0, '{"Files": [1]}\n', "")


def test_a_recording_that_cannot_be_scored_is_named(
    empty_bus: PrivateBus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = evaluated(monkeypatch, tmp_path, "good.csv", "bad.csv")
    assert (said.code, said.out) == (1, "['--evaluate', 'good.csv', 'bad.csv']\n")
    assert said.err == text("""
gamesactl: good.csv: 3 rows without a time
gamesactl: bad.csv:3: no temperature in it
""")


def test_the_real_gamesad_scores_a_recording(empty_bus: PrivateBus, tmp_path: Path) -> None:
    rows = [f"{second},{50 + second % 5}" for second in range(60)]
    recording = tmp_path / "session.csv"
    recording.write_text("\n".join(["time_s,cpu[°C]", *rows, ""]))
    document = gamesactl("neural", "evaluate", str(recording), "--json").document
    assert [one["File"] for one in document["Files"]] == [str(recording)]
    said = gamesactl("neural", "evaluate", str(tmp_path / "none.csv"))
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "none.csv cannot be read: No such file or directory" in said.err
