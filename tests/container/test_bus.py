"""Who may do what, asked by real users over the real bus and decided by the real polkit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.container.computer import Computer
from tests.container.machine import eventually

RULE = "/usr/share/doc/gamesad/examples/50-gamesad-group.rules"
_USERS = f"""
set -e
groupadd --system gamesad
useradd --no-create-home --groups gamesad member
useradd --no-create-home stranger
install -m 644 {RULE} /etc/polkit-1/rules.d/
"""
_NO_USERS = """
rm -f /etc/polkit-1/rules.d/50-gamesad-group.rules
userdel stranger
userdel member
groupdel gamesad
"""


@pytest.fixture(scope="module")
def users(shared: Computer) -> Iterator[None]:
    """As the shipped rule's comment says: a group, a member of it, the rule. And somebody who is no member."""
    shared.tell("sh", "-c", _USERS)
    yield
    shared.tell("sh", "-c", _NO_USERS)


@pytest.mark.usefixtures("users")
def test_everybody_may_look_root_and_members_choose_and_a_stranger_is_refused_in_one_line(running: Computer) -> None:
    seen = running.run("gamesactl", "status", "--json", user="stranger")
    assert (seen.returncode, seen.stderr) == (0, "")
    assert '"balanced"' in seen.stdout

    assert running.run("gamesactl", "set-profile", "quiet").returncode == 0
    assert running.property("ActiveProfile") == "quiet"

    refused = running.run("gamesactl", "set-profile", "performance", user="stranger")
    assert refused.returncode == 4
    assert len(refused.stderr.splitlines()) == 1
    assert "not allow" in refused.stderr
    assert running.property("ActiveProfile") == "quiet"

    # polkit reads a new rule when inotify tells it, which may take a moment.
    eventually(lambda: running.run("gamesactl", "set-profile", "balanced", user="member").returncode == 0, "leave")
    assert running.property("ActiveProfile") == "balanced"
    who = running.run("id", "--user", "member").stdout.strip()
    running.wait_said(f"profile quiet → balanced, selected by uid {who}")

    # What needs an administrator stays with root.
    assert running.run("gamesactl", "pause", user="member").returncode == 4
