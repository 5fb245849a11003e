"""Every configuration key, each in one place: its type, range, default and what it does.

The dataclasses are the table. Parsing, checking, ``gamesad --check-config``, the reference in the documentation and
``gamesactl config show`` all read their fields; to add a key is to add a field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

from gamesad.types import Profile

LOG_LEVELS = ("error", "warning", "info", "debug")
POLICY_MODES = ("shadow", "advise", "act")


class Kind(Enum):
    """The TOML type of a key, in words for people."""

    BOOLEAN = "true or false"
    INTEGER = "a whole number"
    NUMBER = "a number"
    TEXT = "text in quotes"
    LIST = 'a list of texts, ["one", "two"]'
    NUMBERS = "a table of names and numbers"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its full name, what it may hold, and one sentence on what it does.

    ``low`` and ``high`` bound a number (or each number of a table), the items of a text or list must be among
    ``choices`` when there are any. ``optional``: the text "as-found" is allowed and means None.
    """

    name: str
    kind: Kind
    default: object
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False


def _key(description: str, *, kind: Kind, default: object = None, **bounds: Any) -> Any:
    """A dataclass field that is a row of the table (Any, as ``dataclasses.field`` itself is to a type checker)."""
    row = {"kind": kind, "description": description, **bounds}
    if kind is Kind.NUMBERS:
        return field(default_factory=dict, metadata=row)
    return field(default=default, metadata=row)


@dataclass(frozen=True, slots=True)
class Daemon:
    """The process itself."""

    log_level: str = _key(
        default="info", description="How much goes to the journal.", kind=Kind.TEXT, choices=LOG_LEVELS
    )
    observe: bool = _key(
        default=False, description="Sense, decide and publish, but write nothing to the hardware.", kind=Kind.BOOLEAN
    )
    tick_fastest_s: float = _key(
        default=0.5, description="Seconds between ticks when a limit is near.", kind=Kind.NUMBER, low=0.1, high=1.0
    )
    tick_slowest_s: float = _key(
        default=2.0,
        description="Seconds between ticks when everything is cool and quiet.",
        kind=Kind.NUMBER,
        low=0.5,
        high=2.0,
    )


@dataclass(frozen=True, slots=True)
class Sensors:
    """Which sensors are read. Patterns are shell patterns of sensor names, as ``gamesactl sensors`` lists them."""

    ignore: tuple[str, ...] = _key(default=(), description="Sensors that are not read at all.", kind=Kind.LIST)
    critical: tuple[str, ...] = _key(
        default=(),
        description="Sensors whose loss means the failsafe settings, besides those that always are.",
        kind=Kind.LIST,
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """How warm things may get. A limit given here only ever makes the machine cooler than its hardware demands."""

    margin_c: float = _key(
        default=5.0,
        description="Degrees kept below the critical temperature of parts that are not made to sit at it.",
        kind=Kind.NUMBER,
        low=0.0,
        high=30.0,
    )
    temperatures_c: Mapping[str, float] = _key(
        description="Sensor pattern = limit in °C; the lowest that matches counts.",
        kind=Kind.NUMBERS,
        low=30.0,
        high=120.0,
    )


@dataclass(frozen=True, slots=True)
class Control:
    """How the regulation of temperatures behaves; the defaults suit machines from laptops to servers."""

    release_dwell_s: float = _key(
        default=5.0,
        description="Least time between two steps of giving power back.",
        kind=Kind.NUMBER,
        low=5.0,
        high=600.0,
    )
    band_c: float = _key(
        default=3.5,
        description="Nothing is given back until a temperature is this far under its limit.",
        kind=Kind.NUMBER,
        low=1.0,
        high=20.0,
    )
    anticipation_s: float = _key(
        default=5.0,
        description="A limit that a lasting rise would cross within this time is acted on now.",
        kind=Kind.NUMBER,
        low=1.0,
        high=30.0,
    )


@dataclass(frozen=True, slots=True)
class Profiles:
    """Which profile applies when nobody has chosen one."""

    default: str = _key(default="balanced", description="The profile until somebody selects another.", kind=Kind.TEXT)
    on_battery: str = _key(
        default="", description="The profile held while on battery; empty for no change.", kind=Kind.TEXT
    )


@dataclass(frozen=True, slots=True)
class Bus:
    """The system bus."""

    enabled: bool = _key(default=True, description="Serve org.gamesa.Gamesad1 on the system bus.", kind=Kind.BOOLEAN)
    max_holds: int = _key(
        default=256, description="Profile holds that may be open at once.", kind=Kind.INTEGER, low=1, high=10000
    )
    max_holds_per_user: int = _key(
        default=32,
        description="Profile holds that one user may have open at once.",
        kind=Kind.INTEGER,
        low=1,
        high=10000,
    )


@dataclass(frozen=True, slots=True)
class Crystal:
    """Crystal Core, the shared memory /dev/shm/gamesad from which gamesactl and other programs read everything.

    What changes its size or the rates of its history counts from the next start, the rest at once.
    """

    enabled: bool = _key(default=True, description="Publish in shared memory.", kind=Kind.BOOLEAN)
    size_mib: int = _key(
        default=256,
        description="MiB that the pool of blocks may grow to; only what is in use is taken.",
        kind=Kind.INTEGER,
        low=1,
        high=4096,
    )
    fast_every_s: int = _key(
        default=1, description="Seconds that a row of the fast history covers.", kind=Kind.INTEGER, low=1, high=10
    )
    fast_for_minutes: int = _key(
        default=10, description="Minutes that the fast history goes back.", kind=Kind.INTEGER, low=1, high=60
    )
    middle_every_s: int = _key(
        default=10,
        description="Seconds that a row of the middle history covers; a multiple of fast_every_s.",
        kind=Kind.INTEGER,
        low=5,
        high=120,
    )
    middle_for_hours: int = _key(
        default=24, description="Hours that the middle history goes back.", kind=Kind.INTEGER, low=1, high=72
    )
    slow_every_s: int = _key(
        default=300,
        description="Seconds that a row of the slow history covers; a multiple of middle_every_s.",
        kind=Kind.INTEGER,
        low=60,
        high=3600,
    )
    slow_for_days: int = _key(
        default=30, description="Days that the slow history goes back.", kind=Kind.INTEGER, low=1, high=90
    )
    save_minutes: int = _key(
        default=15,
        description="Minutes between two writes of middle and slow history and decisions to disk; 0 for never.",
        kind=Kind.INTEGER,
        low=0,
        high=1440,
    )
    promote_above: float = _key(
        default=100.0,
        description="A block with more accesses, older ones counting less, goes up one tier.",
        kind=Kind.NUMBER,
        low=1.0,
        high=1e6,
    )
    demote_below: float = _key(
        default=10.0,
        description="A block with fewer accesses goes down one tier, in the end compressed.",
        kind=Kind.NUMBER,
        low=0.0,
        high=1e6,
    )
    half_life_s: float = _key(
        default=600.0,
        description="Seconds after which an access counts half.",
        kind=Kind.NUMBER,
        low=1.0,
        high=86400.0,
    )
    dwell_s: float = _key(
        default=120.0,
        description="Least seconds that a block stays in a tier.",
        kind=Kind.NUMBER,
        low=1.0,
        high=86400.0,
    )
    prefetch: bool = _key(
        default=True, description="Inflate compressed blocks that will likely be read next.", kind=Kind.BOOLEAN
    )
    prefetch_cpu: float = _key(
        default=0.02,
        description="Part of a processor's time that this may take.",
        kind=Kind.NUMBER,
        low=0.0,
        high=0.1,
    )
    prefetch_mib: int = _key(
        default=8,
        description="MiB that blocks inflated this way may take.",
        kind=Kind.INTEGER,
        low=0,
        high=4096,
    )
    flight_before_s: int = _key(
        default=60,
        description="Seconds before an alert, anomaly, failsafe or crash that a flight recording holds.",
        kind=Kind.INTEGER,
        low=0,
        high=600,
    )
    flight_after_s: int = _key(
        default=60, description="Seconds after it that it holds.", kind=Kind.INTEGER, low=0, high=600
    )
    flights: int = _key(
        default=16, description="Flight recordings kept; 0 for none.", kind=Kind.INTEGER, low=0, high=256
    )


@dataclass(frozen=True, slots=True)
class Neural:
    """The Neural Optimizer: forecasts of temperatures, a policy and anomalies, learnt on this machine alone.

    ``seed`` counts from the next start, the rest at once.
    """

    enabled: bool = _key(default=True, description="Learn, forecast and watch for anomalies.", kind=Kind.BOOLEAN)
    policy: str = _key(
        default="shadow",
        description='What the learnt policy does: "shadow" proposes, and tries another choice now and then where it is '
        'as safe; "advise" shows what it proposes and tries nothing; "act" chooses where the rules leave a choice.',
        kind=Kind.TEXT,
        choices=POLICY_MODES,
    )
    false_alarms_per_week: float = _key(
        default=1.0,
        description="How many anomalies a week may be told that are none.",
        kind=Kind.NUMBER,
        low=0.05,
        high=50.0,
    )
    checkpoint_minutes: int = _key(
        default=5,
        description="Minutes between two writes of what was learnt to disk; 0 for only at the stop.",
        kind=Kind.INTEGER,
        low=0,
        high=1440,
    )
    tick_budget_ms: float = _key(
        default=2.0,
        description="Milliseconds that learning may add to a tick; first training yields, then the better forecast.",
        kind=Kind.NUMBER,
        low=0.2,
        high=20.0,
    )
    seed: int = _key(default=0, description="What random choices start from.", kind=Kind.INTEGER, low=0, high=2**31 - 1)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything configured. ``origins`` names for each key given in a file the ``FILE:LINE`` that counts."""

    daemon: Daemon = Daemon()
    sensors: Sensors = Sensors()
    limits: Limits = Limits()
    control: Control = Control()
    profile: Profiles = Profiles()
    bus: Bus = Bus()
    crystal: Crystal = Crystal()
    neural: Neural = Neural()
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def default_profile(self) -> str:
        return self.profile.default

    @property
    def on_battery_profile(self) -> str:
        """Empty when the battery changes nothing."""
        return self.profile.on_battery


SECTIONS: Mapping[str, type] = {
    "daemon": Daemon,
    "sensors": Sensors,
    "limits": Limits,
    "control": Control,
    "profiles": Profiles,
    "bus": Bus,
    "crystal": Crystal,
    "neural": Neural,
}


def keys_of(section: str) -> dict[str, Key]:
    """The rows of one section, by the key's name within it."""
    rows = {}
    for item in fields(SECTIONS[section]):
        default = {} if item.metadata["kind"] is Kind.NUMBERS else item.default
        rows[item.name] = Key(name=f"{section}.{item.name}", default=default, **item.metadata)
    return rows
