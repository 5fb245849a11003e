"""Who may do what over the system bus, with the real polkitd and a real login session on tty1."""

from __future__ import annotations

import pytest

from tests.guest.laptop import Laptop
from tests.guest.machine import wait_until

RULES = "/usr/share/doc/gamesad/examples/50-gamesad-group.rules"


def test_the_service_is_enabled_running_and_has_said_so(running: Laptop) -> None:
    assert running.run("systemctl is-enabled gamesad").out.strip() == "enabled"
    assert "on LENOVO 20FBGAMESA" in running.run("journalctl -u gamesad -o cat").out
    assert running.run("systemctl show gamesad --value -p StatusText").out.strip() == "regulating"


def test_root_may_select_a_profile(running: Laptop) -> None:
    assert running.set_profile("quiet") == ""
    assert running.bus_property("ActiveProfile") == "quiet"
    assert running.set_profile("balanced") == ""


def test_a_stranger_may_look_and_not_touch(running: Laptop) -> None:
    assert "acpitz" in running.run("gamesactl sensors", user="stranger").out
    assert "ot authorised" in running.set_profile("quiet", user="stranger")
    assert running.bus_property("ActiveProfile") == "balanced"


def test_a_member_of_the_group_may_by_the_rule_that_is_shipped(running: Laptop) -> None:
    running.run(f"cp {RULES} /etc/polkit-1/rules.d/ && systemctl reload-or-restart polkit")
    try:
        assert running.set_profile("quiet", user="member") == ""
        assert running.bus_property("ActiveProfile") == "quiet"
        assert "ot authorised" in running.set_profile("performance", user="stranger")
    finally:
        running.run("rm /etc/polkit-1/rules.d/50-gamesad-group.rules; systemctl reload-or-restart polkit")
        running.set_profile("balanced")


@pytest.mark.parametrize("user", ["player"])
def test_whoever_sits_at_the_machine_may(running: Laptop, user: str) -> None:
    """The same user is refused from elsewhere: it is the active session with a seat that counts."""
    assert "ot authorised" in running.set_profile("quiet", user=user)
    running.agent.put("/home/player/try", "gamesactl set-profile quiet >/tmp/said 2>&1; echo $? >/tmp/code\n")
    running.type("sh try\n")
    wait_until(lambda: running.read("/tmp/code") not in {"ENOENT", ""}, "the command typed at tty1", 30.0)
    assert (running.read("/tmp/code"), running.bus_property("ActiveProfile")) == ("0", "quiet"), running.read(
        "/tmp/said"
    )
    running.run("rm /tmp/code")
    running.set_profile("balanced")
