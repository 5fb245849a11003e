"""Somebody's program that makes a layout plan: what it is given, what it may do, how it goes wrong."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import pytest

from gamesactl.adviser import plan_of
from gamesactl.errors import ClientError, Failed, Usage
from gamesad.bus.names import MAX_PLAN_LENGTH

PLAN = '{"order": [2, 1]}'


def program(tmp_path: Path, source: str) -> str:
    """A command line with a space and a quote in it that runs this Python."""
    path = tmp_path / "it's an adviser.py"
    path.write_text(source)
    return f"{sys.executable} {shlex.quote(str(path))}"


def test_a_program_gets_the_statistics_and_gives_a_plan(tmp_path: Path) -> None:
    source = "import json, sys; given = json.load(sys.stdin); print(json.dumps({'order': given['blocks'][::-1]}))"
    assert plan_of(program(tmp_path, source), '{"blocks": [1, 2]}') == {"order": [2, 1]}


def test_it_may_leave_the_statistics_unread(tmp_path: Path) -> None:
    assert plan_of(program(tmp_path, f"print('{PLAN}')"), "x" * 10_000_000) == {"order": [2, 1]}


def test_no_shell_looks_at_the_command(tmp_path: Path) -> None:
    source = "import json, sys; print(json.dumps({'said': sys.argv[1:]}))"
    command = program(tmp_path, source) + f" ; touch {tmp_path}/made '$HOME' *"
    assert plan_of(command, "{}") == {"said": [";", "touch", f"{tmp_path}/made", "$HOME", "*"]}
    assert not (tmp_path / "made").exists()


def test_its_stderr_is_the_user_s(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    plan_of(program(tmp_path, f"import sys; print('thinking', file=sys.stderr); print('{PLAN}')"), "{}")
    assert capfd.readouterr().err == "thinking\n"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("raise SystemExit(7)", "ended with 7; nothing was changed"),
        (f"print('{PLAN}'); raise SystemExit(7)", "ended with 7; nothing was changed"),
        ("print('Here is your plan:')", "wrote no JSON"),
        ("print('[' * 30000)", "wrote no JSON"),
        ("print('[]')", "wrote JSON that is no object; a plan has blocks, order, groups"),
        ("while True: print('x' * 1000)", f"wrote more than {MAX_PLAN_LENGTH} bytes and was ended"),
    ],
)
def test_what_is_no_plan_is_said_in_a_line(tmp_path: Path, source: str, sentence: str) -> None:
    with pytest.raises(Failed) as failed:
        plan_of(program(tmp_path, source), "{}")
    assert sentence in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_program_that_never_answers_is_ended(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    source = f"import time; time.sleep(600); open({str(ended)!r}, 'w')"
    started_s = time.monotonic()
    with pytest.raises(Failed, match=r"gave no plan in 0.3 s and was ended"):
        plan_of(program(tmp_path, source), "{}", timeout_s=0.3)
    assert time.monotonic() - started_s < 60
    assert not ended.exists()


@pytest.mark.parametrize(
    ("command", "kind", "sentence"),
    [
        ("", Usage, "--command is empty; name a program that reads statistics and writes a plan"),
        ("'open", Usage, '--command "\'open": No closing quotation'),
        (
            "/nonexistent/adviser",
            Failed,
            "/nonexistent/adviser cannot be run: No such file or directory; see --command",
        ),
    ],
)
def test_a_command_that_cannot_be_run_is_said_to_be_so(command: str, kind: type[ClientError], sentence: str) -> None:
    with pytest.raises(kind) as failed:
        plan_of(command, "{}")
    assert str(failed.value) == sentence
