"""Upgrades from the previous build that meet what is not simply at work; that one is in test_package."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gamesad import __version__
from gamesad.messages import Message
from tests.container.computer import Computer
from tests.support import debs

OLD = "0.0.9~test"
CONFIGURATION = "etc/gamesad/gamesad.toml"


@pytest.fixture
def old(installed: Computer) -> Iterator[Computer]:
    """The previous build, installed, enabled and at work."""
    installed.install(debs.built(OLD))
    installed.tell("systemctl", "enable", "--now", "gamesad")
    assert installed.version() == "0.0.9"
    yield installed
    installed.tell("systemctl", "unmask", "gamesad")
    installed.tell("systemctl", "disable", "gamesad")


def upgrade(machine: Computer) -> str:
    told = machine.install(debs.built())
    installed = machine.tell("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version} ", *debs.PACKAGES)
    assert installed.split() == ["installed", __version__] * 3
    return told


def test_a_configuration_that_the_new_version_refuses_leaves_the_machine_as_found(old: Computer) -> None:
    """dpkg succeeds and says what to do; so do the journal and the client; and doing it is enough."""
    old.throttle()
    text = (old.root / CONFIGURATION).read_text()
    (old.root / CONFIGURATION).write_text(f"[daemon]\nobservee = true\n{text}")
    try:
        told = upgrade(old)
        assert "gamesad does not start until this is corrected" in told
        assert old.unit("ActiveState", "ExecMainStatus") == ("failed", "2")
        assert old.as_found()
        error = old.journal("--unit=gamesad", f"MESSAGE_ID={Message.CONFIG_ERROR.message_id}")[-1]
        assert error["PRIORITY"] == "3"
        assert error["MESSAGE"].startswith("/etc/gamesad/gamesad.toml:2: ")
        assert 'did you mean "observe"?' in error["MESSAGE"]
        asked = old.run("gamesactl", "status")
        assert (asked.returncode, len(asked.stderr.splitlines())) == (3, 1)
    finally:
        (old.root / CONFIGURATION).write_text(text)
    old.tell("systemctl", "restart", "gamesad")
    assert old.version() == __version__


def test_what_is_not_running_stays_as_it_is(old: Computer) -> None:
    """Enabled or not, or masked. The way back is an upgrade too, as far as the packages' scripts can see."""
    for build, word, state in (("", "stop", "enabled"), (OLD, "disable", "disabled"), ("", "mask", "masked")):
        old.tell("systemctl", word, "gamesad")
        old.install(debs.built(build or None))
        assert old.unit("UnitFileState", "ActiveState") == (state, "inactive")
    assert old.as_found()


def test_a_gamesad_in_usr_local_that_would_run_in_its_place_is_named(installed: Computer) -> None:
    manifest = "/usr/local/lib/gamesad/manifest"
    installed.tell("sh", "-c", f"mkdir -p {manifest.rpartition('/')[0]} && touch {manifest}")
    told = installed.install(debs.built())
    installed.tell("rm", "-r", "/usr/local/lib/gamesad")
    assert "gamesad in /usr/local goes before this package; to remove it: gamesad-setup remove" in told
    assert "/usr/local" not in installed.install(debs.built())
