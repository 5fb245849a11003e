"""Configuration files: what is taken from them, and that every fault is named with its line and what to do."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from gamesad.config import Config, load, reference, show
from gamesad.config.keys import SECTIONS, keys_of
from gamesad.config.profile_keys import PROFILE_KEYS
from gamesad.errors import ConfigError

FORM = re.compile(r"[^\n]+:\d+: [^\n]+; [^\n]+|[^\n]+:\d+: [^\n]+did you mean[^\n]+")


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problems(main: Path | None, *search: Path) -> list[str]:
    """The faults, as people see them; each has the documented form."""
    with pytest.raises(ConfigError) as caught:
        load(None if main is None else str(main), search=[str(folder) for folder in search])
    for problem in caught.value.problems:
        assert FORM.fullmatch(problem), problem
    return caught.value.problems


def faults(tmp_path: Path, text: str | bytes) -> list[str]:
    """The faults of one file, without its path."""
    path = put(tmp_path, "gamesad.toml", text)
    return [problem.removeprefix(f"{path}:") for problem in problems(path)]


def test_without_any_file_everything_has_its_default(tmp_path: Path) -> None:
    config = load(None, search=[str(tmp_path / "missing")])
    assert config.default_profile == "balanced"
    assert config.on_battery_profile == ""
    assert config.bus.enabled
    assert list(config.profiles) == ["power-saver", "quiet", "balanced", "performance", "gaming"], "by rank"
    assert config.origins == {}


def test_later_files_win_key_by_key_and_are_named_as_the_origin(tmp_path: Path) -> None:
    usr, etc = tmp_path / "usr", tmp_path / "etc"
    put(usr, "gamesad.toml", '[daemon]\nlog_level = "debug"\nobserve = true\n')
    put(etc, "gamesad.toml", '[daemon]\nlog_level = "error"\n[limits.temperatures_c]\n"hwmon.nvme*" = 70\n')
    put(etc, "conf.d/10-a.toml", "[limits]\ntemperatures_c.x = 60\n")
    last = put(etc, "conf.d/20-b.toml", '\n\ndaemon.log_level = "warning"\n')
    put(etc, "conf.d/ignored.txt", "nonsense")
    config = load(None, search=[str(usr), str(etc)])
    assert (config.daemon.log_level, config.daemon.observe) == ("warning", True)
    assert config.origins["daemon.log_level"] == f"{last}:3"
    assert config.origins["daemon.observe"] == f"{usr}/gamesad.toml:3"
    assert config.limits.temperatures_c == {"hwmon.nvme*": 70.0, "x": 60.0}
    assert config.origins["limits.temperatures_c.hwmon.nvme*"] == f"{etc}/gamesad.toml:4"


def test_a_sensor_name_needs_no_quotes(tmp_path: Path) -> None:
    path = put(tmp_path, "a.toml", "[limits.temperatures_c]\nhwmon.k10temp-pci-00c3.temp1 = 80\n")
    assert load(str(path)).limits.temperatures_c == {"hwmon.k10temp-pci-00c3.temp1": 80.0}


def test_a_file_given_by_hand_is_the_only_one(tmp_path: Path) -> None:
    put(tmp_path, "etc/gamesad.toml", "[bus]\nenabled = false\n")
    own = put(tmp_path, "own.toml", "[daemon]\nobserve = true\n")
    config = load(str(own), search=[str(tmp_path / "etc")])
    assert (config.bus.enabled, config.daemon.observe) == (True, True)


def test_every_fault_of_every_file_is_told(tmp_path: Path) -> None:
    first = put(tmp_path, "gamesad.toml", '[daemon]\nlog_levle = "info"\nobserve = "yes"\n\n[bus]\nmax_holds = 0\n')
    second = put(tmp_path, "conf.d/x.toml", "[deamon]\nobserve = true\n[limits]\nmargin_c = \n")
    third = put(tmp_path, "profiles.d/silly.toml", 'inherits = "balancd"\nrank = "low"\n')
    assert problems(None, tmp_path) == [
        f'{first}:2: daemon.log_levle: unknown key; did you mean "log_level"?',
        f'{first}:3: daemon.observe: "yes" is of the wrong type; give true or false',
        f"{first}:6: bus.max_holds: 0 is out of range; give a whole number from 1 to 10000",
        f'{second}:1: deamon: unknown section; did you mean "daemon"?',
        f"{second}:4: syntax: Invalid value at column 12; correct the TOML",
        f'{third}:1: inherits: no profile "balancd"; did you mean "balanced"?',
        f'{third}:2: rank: "low" is of the wrong type; give a whole number from 0 to 1000',
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[daemon]\nobserve = true\nobserve = false\n", "3: daemon.observe: given twice, first in line 2"),
        ("x = [\n1,\n2\n]\n[daemon]\nobserve = 3\n", "6: daemon.observe: 3 is of the wrong type"),
        ('[sensors]\nignore = """\nobserve = 1\n"""\n[bus]\nmax_holds = -1', "6: bus.max_holds: -1 is out of range"),
        ("daemon.'log_level' = 'x'\n", '1: daemon.log_level: "x" is not a choice'),
        ("daemon = { observe = 1 }\n", "1: daemon.observe: 1 is of the wrong type"),
        ("daemon = 5\n", "1: daemon: is not a section; write [daemon]"),
        ("[control]\nband_c = nan\n", "2: control.band_c: nan is not a finite number"),
        ("[control]\nband_c = inf\n", "2: control.band_c: inf is out of range"),
        ("[limits.temperatures_c]\na = 'hot'\n", '2: limits.temperatures_c.a: "hot" is of the wrong type'),
        ("[limits.temperatures_c]\na = 500\n", "2: limits.temperatures_c.a: 500 is out of range"),
        ("[sensors]\nignore = 'x'\n", '2: sensors.ignore: "x" is of the wrong type'),
        ("[profiles]\ndefault = 'balancd'\n", '2: profiles.default: no profile "balancd"; did you mean "balanced"?'),
        ("[daemon]\ntick_fastest_s = 1.0\ntick_slowest_s = 0.5\n", "2: daemon.tick_fastest_s: 1 is more than"),
        ("[crystal]\ndemote_below = 100.0\n", "2: crystal.demote_below: 100 is not less than promote_above, 100"),
        ("[crystal]\npromote_above = 5\n", "2: crystal.demote_below: 10 is not less than promote_above, 5; give a"),
        ("[crystal]\nmiddle_every_s = 7\nfast_every_s = 2\n", "2: crystal.middle_every_s: 7 is not a multiple of"),
        (
            "[crystal]\nslow_every_s = 65\n",
            "2: crystal.slow_every_s: 65 is not a multiple of middle_every_s, 10; give 70",
        ),
        ("[crystal]\nfast_every_s = 5\nmiddle_every_s = 5\n", "middle_every_s: 5 is not a multiple of fast_every_s, 5"),
        (
            "[crystal]\nsize_mib = 5000\n",
            "2: crystal.size_mib: 5000 is out of range; give a whole number from 1 to 4096",
        ),
        ("[daemon\nobserve = true\n", "1: syntax: "),
        ("a = 'x\n\n[bus]\nmax_holds = 0\n", "4: bus.max_holds: 0 is out of range"),
        ("x = 'never closed", "1: syntax: "),
        ("[bus]\nmax_holds = " + "9" * 5000, "syntax: "),
        ("x = " + "[" * 5000, "syntax: "),
        (b"[daemon]\n# \xff\n", "2: file: is not UTF-8 text; save it as UTF-8"),
        (b"[daemon]\nobserve = \0true\n", "2: syntax: "),
    ],
)
def test_a_fault_has_its_line_and_a_remedy(tmp_path: Path, text: str | bytes, expected: str) -> None:
    assert any(expected in fault for fault in faults(tmp_path, text)), faults(tmp_path, text)


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault(tmp_path: Path) -> None:
    path = put(tmp_path, "a.toml", b"\xef\xbb\xbf[daemon]\r\nobserve = true\r\n")
    assert load(str(path)).origins["daemon.observe"] == f"{path}:2"


def test_a_file_that_is_missing_or_no_file_is_told(tmp_path: Path) -> None:
    assert problems(tmp_path / "no.toml") == [
        f"{tmp_path}/no.toml:1: file: there is no such file; give the path of an existing one"
    ]
    (tmp_path / "conf.d" / "folder.toml").mkdir(parents=True)
    os.mkfifo(tmp_path / "gamesad.toml")
    told = problems(None, tmp_path)
    assert len(told) == 2
    assert all("cannot be read" in problem for problem in told)


def test_a_file_without_end_is_told(tmp_path: Path) -> None:
    assert "larger than 1 MiB" in faults(tmp_path, b"#" * (2 << 20))[0]


def test_nothing_outside_is_told_with_control_characters(tmp_path: Path) -> None:
    for fault in faults(tmp_path, '"\\u001b[31m" = 1\n[daemon]\n"a\\nb" = 2\nlog_level = "\\u0007"\n'):
        assert fault.isprintable()


def test_profiles_inherit_and_can_be_changed_in_one_value(tmp_path: Path) -> None:
    put(tmp_path, "profiles.d/quiet.toml", 'inherits = "quiet"\ntemperature_limit_c = 65\n')
    put(tmp_path, "profiles.d/night.toml", 'inherits = "quiet"\nrank = 5\nboost = false\nepp = []\n')
    put(tmp_path, "profiles.d/loud.toml", 'inherits = "quiet"\ntemperature_limit_c = "as-found"\n')
    profiles = load(None, search=[str(tmp_path)]).profiles
    assert profiles["quiet"].temperature_limit_c == 65.0
    assert profiles["quiet"].rank == 30
    assert profiles["night"].temperature_limit_c == 65.0
    assert (profiles["night"].rank, profiles["night"].boost, profiles["night"].epp) == (5, False, ())
    assert profiles["loud"].temperature_limit_c is None
    assert profiles["night"].source == str(tmp_path / "profiles.d" / "night.toml")


def test_profiles_stand_beside_a_file_given_by_hand(tmp_path: Path) -> None:
    put(tmp_path, "profiles.d/mine.toml", "rank = 1\n")
    own = put(tmp_path, "own.toml", '[profiles]\ndefault = "mine"\n')
    assert load(str(own)).profiles["mine"].power_profile == "balanced"


def test_what_is_wrong_with_profiles_is_told(tmp_path: Path) -> None:
    put(tmp_path, "profiles.d/a.toml", '\ninherits = "b"\n')
    put(tmp_path, "profiles.d/b.toml", 'inherits = "a"\n')
    put(tmp_path, "profiles.d/self.toml", 'inherits = "self"\n')
    put(tmp_path, "profiles.d/Big Name.toml", "rank = 1\n")
    put(tmp_path, "profiles.d/empty.toml", "")
    put(tmp_path, "profiles.d/crossed.toml", "rank = 1\nfrequency_minimum = 0.9\nfrequency_maximum = 0.5\n")
    put(tmp_path, "profiles.d/wrong.toml", 'rank = 1\nboost = "on"\ngoverner = ["x"]\npower_profile = "fast"\n')
    folder = tmp_path / "profiles.d"
    assert [problem.removeprefix(f"{folder}/") for problem in problems(None, tmp_path)] == [
        'Big Name.toml:1: file: "Big Name" is no profile name; use a to z, 0 to 9 and -, at most 40, before .toml',
        "a.toml:2: inherits: a → b → a goes in a circle; remove one of these inherits",
        "b.toml:1: inherits: b → a → b goes in a circle; remove one of these inherits",
        "crossed.toml:2: frequency_minimum: frequency_minimum 0.9 is above frequency_maximum 0.5; give a smaller one",
        "empty.toml:1: rank: is missing; give a number (balanced has 50), or inherit from another profile",
        "self.toml:1: inherits: self inherits from itself; name another profile or remove it",
        'wrong.toml:2: boost: "on" is of the wrong type; give true or false',
        'wrong.toml:3: governer: unknown key; did you mean "governor"?',
        'wrong.toml:4: power_profile: "fast" is not a choice; known are power-saver, balanced, performance',
    ]


def test_the_reference_names_every_key() -> None:
    text = reference()
    for section in SECTIONS:
        assert f"## [{section}]" in text
        for name, key in keys_of(section).items():
            assert f"| `{name}` |" in text
            assert key.description in text
    for key in PROFILE_KEYS.values():
        assert key.description in text


def test_what_is_shown_reads_back_as_the_same_configuration(tmp_path: Path) -> None:
    text = (
        '[sensors]\nignore = ["a\\"b", "c\\\\d"]\n[limits.temperatures_c]\n"hwmon.*" = 71.5\n[daemon]\nobserve = true\n'
    )
    first = load(str(put(tmp_path, "a.toml", text)))
    shown = show(first, origin=True)
    assert f"observe = true  # {tmp_path}/a.toml:6" in shown
    assert 'default = "balanced"  # built-in' in shown
    second = load(str(put(tmp_path, "b.toml", shown)))
    assert _without_origins(second) == _without_origins(first)


def test_the_default_configuration_is_toml() -> None:
    assert set(tomllib.loads(show(Config()))) == set(SECTIONS)


def _without_origins(config: Config) -> tuple[object, ...]:
    return config.daemon, config.sensors, config.limits, config.control, config.profile, config.bus


def test_profiles_that_come_with_gamesad_say_so() -> None:
    assert {profile.source for profile in load(None, search=()).profiles.values()} == {"built in"}


def observes(config: Config) -> str:
    """Whether it does, and who says so."""
    return f"{config.daemon.observe} {config.origins.get('daemon.observe', 'built-in')}"


def test_drop_ins_come_after_every_main_file_in_the_order_of_their_names_wherever_they_are(tmp_path: Path) -> None:
    usr, run, etc = (tmp_path / name for name in ("usr", "run", "etc"))
    search = [str(usr), str(run), str(etc)]
    put(etc, "gamesad.toml", "daemon.observe = true\nbus.max_holds = 5\n")
    vendor = put(usr, "conf.d/50-vendor.toml", "daemon.observe = false\nbus.max_holds = 6\n")
    put(etc, "conf.d/40-own.toml", "daemon.observe = true\nbus.max_holds = 7\n")
    config = load(None, search=search)
    assert (observes(config), config.bus.max_holds) == (f"False {vendor}:1", 6)
    until_boot = put(run, "conf.d/60-try.toml", "bus.max_holds = 8\n")
    config = load(None, search=search)
    assert config.bus.max_holds == 8
    assert config.origins["bus.max_holds"] == f"{until_boot}:1"


def test_of_drop_ins_with_one_name_only_the_last_directorys_counts(tmp_path: Path) -> None:
    usr, run, etc = (tmp_path / name for name in ("usr", "run", "etc"))
    put(usr, "conf.d/50-x.toml", "daemon.observe = true\nbus.max_holds = 6\n")
    put(run, "conf.d/50-x.toml", "bus.max_holds = 7\n")
    search = [str(usr), str(run), str(etc)]
    config = load(None, search=search)
    assert (observes(config), config.bus.max_holds) == ("False built-in", 7)
    put(etc, "conf.d/50-x.toml", "")
    config = load(None, search=search)
    assert (observes(config), config.bus.max_holds) == ("False built-in", 256), "an empty one takes it away"


def test_a_link_to_dev_null_takes_away_a_drop_in_a_main_file_and_a_profile(tmp_path: Path) -> None:
    usr, etc = tmp_path / "usr", tmp_path / "etc"
    put(usr, "gamesad.toml", "bus.max_holds = 6\n")
    put(usr, "conf.d/50-x.toml", "daemon.observe = true\n")
    put(usr, "profiles.d/night.toml", 'inherits = "quiet"\n')
    search = [str(usr), str(etc)]
    config = load(None, search=search)
    assert (config.bus.max_holds, config.daemon.observe, "night" in config.profiles) == (6, True, True)
    for name in ("gamesad.toml", "conf.d/50-x.toml", "profiles.d/night.toml", "profiles.d/gaming.toml"):
        (etc / name).parent.mkdir(parents=True, exist_ok=True)
        (etc / name).symlink_to("/dev/null")
    config = load(None, search=search)
    assert (config.bus.max_holds, config.daemon.observe) == (256, False)
    assert {"night", "gaming"} & set(config.profiles) == set()
    (etc / "profiles.d" / "balanced.toml").symlink_to("/dev/null")
    assert any('profiles.default: no profile "balanced"' in problem for problem in problems(None, usr, etc))


def test_a_profile_that_another_inherits_cannot_be_taken_away_unnoticed(tmp_path: Path) -> None:
    put(tmp_path, "profiles.d/night.toml", 'inherits = "quiet"\n')
    (tmp_path / "profiles.d" / "quiet.toml").symlink_to("/dev/null")
    assert any('inherits: no profile "quiet"' in problem for problem in problems(None, tmp_path))
