"""Who may do what over the system bus, with the real polkitd and a real login session on tty1."""

from __future__ import annotations

from tests.guest.laptop import Laptop
from tests.guest.machine import wait_until

RULES = "/usr/share/doc/gamesad/examples/50-gamesad-group.rules"
REFUSED = "polkit does not allow org.gamesa.Gamesad1.set-profile to user {}"


def test_the_service_is_enabled_runs_and_answers_everybody(running: Laptop) -> None:
    assert running.run("systemctl is-enabled gamesad").out.strip() == "enabled"
    assert running.unit("StatusText") == "regulating"
    assert running.bus("GetStatus", user="stranger") == ""


def test_root_may_select_a_profile_and_a_stranger_may_not(running: Laptop) -> None:
    assert running.bus("SetProfile s power-saver") == ""
    assert running.bus("SetProfile s performance", user="stranger") == REFUSED.format(1002)
    assert running.bus_property("ActiveProfile") == "power-saver"


def test_a_member_of_the_group_may_by_the_rule_that_is_shipped(running: Laptop) -> None:
    assert running.bus("SetProfile s power-saver", user="member") == REFUSED.format(1001)
    running.run(f"cp {RULES} /etc/polkit-1/rules.d/ && systemctl restart polkit")
    try:
        assert running.bus("SetProfile s power-saver", user="member") == ""
        assert running.bus("SetProfile s performance", user="stranger") == REFUSED.format(1002)
        assert running.bus_property("ActiveProfile") == "power-saver"
    finally:
        running.run("rm /etc/polkit-1/rules.d/50-gamesad-group.rules && systemctl restart polkit")


def test_whoever_sits_at_the_machine_may_and_the_same_user_from_elsewhere_may_not(running: Laptop) -> None:
    assert running.bus("SetProfile s power-saver", user="player") == REFUSED.format(1000)
    running.agent.put("/home/player/try", "gamesactl set-profile power-saver >/tmp/said 2>&1; echo $? >/tmp/code\n")
    running.type("sh try\n")
    wait_until(lambda: running.read("/tmp/code") not in {"ENOENT", ""}, "the command typed at tty1", 30.0)
    assert (running.read("/tmp/code"), running.bus_property("ActiveProfile")) == ("0", "power-saver"), running.read(
        "/tmp/said"
    )
    running.run("rm /tmp/code /tmp/said")
