"""The data of one tick: Snapshot → Forecast → Decision → Applied, all frozen, and what they speak of.

Units stand in the names of numbers that cross a function. A reading that could not be had is absent from
``Snapshot.readings`` and named in ``absent`` or ``rejected``: never zero, never invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Value = str | int
"""What a tunable holds, in the kernel's own unit and spelling (``scaling_max_freq`` in kHz)."""


class Quantity(StrEnum):
    """What a sensor measures. ``unit`` is the unit of every value published for it."""

    TEMPERATURE = "temperature"
    POWER = "power"
    ENERGY = "energy"
    FREQUENCY = "frequency"
    UTILIZATION = "utilization"
    """A part of a whole, 0..1: CPU time, memory in use, battery charge."""
    FAN = "fan"
    VOLTAGE = "voltage"
    CURRENT = "current"
    PRESSURE = "pressure"
    RATE = "rate"
    SIZE = "size"
    LEVEL = "level"
    """A number without a unit: load average, cooling state, mains online."""
    STATE = "state"
    """A word, published in ``Snapshot.states``: battery status, platform profile."""

    @property
    def unit(self) -> str:
        return _UNITS.get(self, "")


_UNITS: Mapping[Quantity, str] = {
    Quantity.TEMPERATURE: "°C",
    Quantity.POWER: "W",
    Quantity.ENERGY: "J",
    Quantity.FREQUENCY: "Hz",
    Quantity.FAN: "rpm",
    Quantity.VOLTAGE: "V",
    Quantity.CURRENT: "A",
    Quantity.RATE: "1/s",
    Quantity.SIZE: "B",
}


class Heat(StrEnum):
    """What heats the place a temperature sensor sits at, hence which tunables can cool it."""

    CPU = "cpu"
    GPU = "gpu"
    OTHER = "other"
    """A disk, a network chip, a voltage regulator, the case: watched and alerted on, not regulated."""


@dataclass(frozen=True, slots=True)
class SensorLimits:
    """A sensor's limits as the driver states them, in the sensor's unit; None = not stated (or nonsense).

    ``maximum`` < ``critical`` ≤ ``emergency`` (Documentation/hwmon/sysfs-interface.rst). ``passive`` and ``hot`` come
    from thermal zone trip points (Documentation/driver-api/thermal/sysfs-api.rst).
    """

    minimum: float | None = None
    maximum: float | None = None
    critical: float | None = None
    emergency: float | None = None
    passive: float | None = None
    hot: float | None = None


NO_LIMITS = SensorLimits()


@dataclass(frozen=True, slots=True)
class Sensor:
    """One thing read. ``name`` survives reboots and hotplug: ``hwmon.k10temp-pci-00c3.temp1``, never hwmonN.

    ``driver`` is the hwmon name or the zone type, the key of the driver table. ``critical``: the machine is not
    regulated safely without it. ``path`` is the file it comes from, for people; ``divisor`` what the number in it is
    divided by, 0 where the value is not one number of one file. ``limits_from``: who states the limits, where it is not
    the driver.
    """

    name: str
    quantity: Quantity
    label: str
    limits: SensorLimits = NO_LIMITS
    driver: str = ""
    heat: Heat | None = None
    critical: bool = False
    path: str = ""
    divisor: float = 0.0
    limits_from: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A reading that was had and cannot be true (an unplugged probe at 216 °C)."""

    value: float
    reason: str


@dataclass(frozen=True, slots=True)
class Absence:
    """A sensor that gave no reading. ``cause`` is the errno name, ``unparseable``, ``stale``, or an ordinary reason."""

    cause: str
    since_s: float

    @property
    def is_fault(self) -> bool:
        """False for what is as it should be: a sleeping disk, a first sample, a machine without swap."""
        return self.cause in ("unparseable", "stale") or self.cause.isupper()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One tick's readings. Every declared sensor is in exactly one of the first four mappings."""

    number: int
    monotonic_s: float
    readings: Mapping[str, float]
    states: Mapping[str, str] = field(default_factory=dict)
    rejected: Mapping[str, Rejection] = field(default_factory=dict)
    absent: Mapping[str, Absence] = field(default_factory=dict)
    ages_s: Mapping[str, float] = field(default_factory=dict)
    """Age of each reading that was taken off the tick; a sensor not named here was read in this tick."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Per temperature, the values expected at each of ``horizon_s`` and upper bounds met with ``confidence``.

    ``crossing``: the probability that its target is reached within the longest horizon; absent where it has none.
    """

    horizon_s: tuple[float, ...]
    expected: Mapping[str, tuple[float, ...]]
    upper: Mapping[str, tuple[float, ...]]
    confidence: float
    crossing: Mapping[str, float] = field(default_factory=dict)


class Role(StrEnum):
    """What a tunable does, whatever driver it belongs to."""

    GOVERNOR = "governor"
    EPP = "energy_performance_preference"
    EPB = "energy_performance_bias"
    FREQUENCY_MINIMUM = "frequency_minimum"
    FREQUENCY_MAXIMUM = "frequency_maximum"
    FREQUENCY_BURST = "frequency_burst"
    """What a graphics card may run at for a moment, its highest frequency notwithstanding."""
    BOOST = "boost"
    POWER_LIMIT = "power_limit"
    """A sustained (long-term) power limit."""
    POWER_LIMIT_SHORT = "power_limit_short"
    PLATFORM_PROFILE = "platform_profile"
    PERFORMANCE_LEVEL = "performance_level"
    """A graphics card's clocks: forced low, automatic, forced high."""


@dataclass(frozen=True, slots=True)
class Tunable:
    """One thing written. Either ``choices``, from least power to most, or ``minimum``..``maximum`` in ``unit``.

    ``inverted``: a larger number (or a later choice) means less power, as for energy_perf_bias and no_turbo.
    ``default`` is the hardware's own default where the kernel documents one. ``heat`` is what it cools.
    ``persistent``: firmware keeps the value over a reboot.
    """

    name: str
    role: Role
    domain: str
    path: str
    heat: Heat = Heat.CPU
    unit: str = ""
    choices: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 0
    inverted: bool = False
    default: Value | None = None
    persistent: bool = False
    meter: str = ""
    """The sensor that measures what a power limit limits."""
    steps: tuple[int, ...] = ()
    """The frequencies that the hardware tells apart, ascending, where the driver has a table; boost is above them."""

    def allows(self, value: Value) -> bool:
        """Whether the value is of the right type and inside the choices or the range."""
        if self.choices:
            return isinstance(value, str) and value in self.choices
        return isinstance(value, int) and not isinstance(value, bool) and self.minimum <= value <= self.maximum

    def power(self, value: Value) -> float | None:
        """Where the value stands from least power to most; None when it has no place (governor ``userspace``)."""
        if self.choices:
            return float(self.choices.index(value)) if value in self.choices else None
        if not isinstance(value, int):
            return None
        return float(-value if self.inverted else value)

    @property
    def least(self) -> Value:
        """The value of least power."""
        if self.choices:
            return self.choices[0]
        return self.maximum if self.inverted else self.minimum


@dataclass(frozen=True, slots=True)
class Controls:
    """The tunables of this machine and the values found before the first write."""

    tunables: Mapping[str, Tunable]
    found: Mapping[str, Value]

    def of(self, *roles: Role) -> list[Tunable]:
        """The tunables with these roles, in probe order."""
        return [tunable for tunable in self.tunables.values() if tunable.role in roles]


@dataclass(frozen=True, slots=True)
class Limit:
    """How warm one sensor may get. ``origin`` says where the number comes from, for people.

    ``target_c`` is what ``decide`` regulates to: the strictest of hardware, profile and user. ``envelope_c`` is the
    hardware's alone, enforced by the envelope; at ``failsafe_c`` the envelope goes to the failsafe settings.
    """

    sensor: str
    label: str
    heat: Heat
    critical: bool
    target_c: float
    envelope_c: float
    failsafe_c: float
    origin: str


class Action(StrEnum):
    NOOP = "noop"
    """Nothing changes."""
    THROTTLE = "throttle"
    """Less frequency or power because of heat."""
    BOOST = "boost"
    """Give back, or add within the limits found at start."""
    REDUCE_POWER = "reduce_power"
    """Less power at the least loss of work."""
    CONSERVATIVE = "conservative"
    """The failsafe settings."""


class Origin(StrEnum):
    """Who wanted a decision (its ``source``)."""

    SAFETY = "safety"
    FORECAST = "forecast"
    RULE = "rule"
    POLICY = "policy"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to have in force. ``settings`` is everything that shall differ from the values found at start.

    A tunable that was set before and is no longer named goes back to the value found. ``reason`` is one sentence
    with the numbers in it.
    """

    action: Action
    settings: Mapping[str, Value]
    source: Origin
    reason: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What the learnt policy would have ``decide`` do where the rules leave a choice; rules and envelope come first.

    ``probability`` is that of choosing this action here, for estimates afterwards; ``reason`` is one sentence.
    """

    action: Action
    reason: str
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write that the kernel refused: the errno name, what was asked, and one sentence."""

    errno: str
    value: Value
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What one apply did: ``settings`` were written and read back, ``rejected`` the kernel refused.

    ``foreign`` tunables hold a value that is neither ours nor the one found: somebody else's, left alone.
    """

    settings: Mapping[str, Value]
    rejected: Mapping[str, Refusal] = field(default_factory=dict)
    foreign: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person wants of the machine, in words that hold on every machine; None or () = as found.

    ``rank`` orders profiles from most restrictive (lowest); the lowest-ranked hold wins. ``governor``, ``epp`` and
    ``platform_profile`` are preferences, best first: the first that the machine offers is used. Frequencies and
    power limits are parts (0..1) of the machine's own maximum and of the limit found at start.
    """

    name: str
    description: str
    rank: int
    power_profile: str
    inherits: str = ""
    source: str = ""
    governor: tuple[str, ...] = ()
    epp: tuple[str, ...] = ()
    epb: int | None = None
    boost: bool | None = None
    frequency_minimum: float | None = None
    frequency_maximum: float | None = None
    power_limit: float | None = None
    gpu_frequency_maximum: float | None = None
    gpu_power_limit: float | None = None
    platform_profile: tuple[str, ...] = ()
    temperature_limit_c: float | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A temporary wish for a profile; it ends with its owner (a unique bus name)."""

    cookie: int
    profile: str
    reason: str
    application_id: str
    owner: str
    uid: int


@dataclass(frozen=True, slots=True)
class Intent:
    """What people want, frozen for one tick.

    ``chosen``: somebody selected or held the profile; until then the machine is left as found and only limits act.
    ``cause`` says who, for the reason sentence ("selected by uid 1000", "held by game.exe: rendering").
    """

    profile: Profile
    chosen: bool
    cause: str = ""
    overrides: Mapping[str, Value] = field(default_factory=dict)
    temperature_limits_c: Mapping[str, float] = field(default_factory=dict)
    power_limits_w: Mapping[str, float] = field(default_factory=dict)
    paused: bool = False
    held: bool = False
    """The profile is one that somebody holds. Who and why stands in ``cause`` alone: it is no part of a decision,
    which everybody may read."""


class Mode(StrEnum):
    ACTIVE = "active"
    OBSERVE = "observe"
    """Decides and tells, writes nothing: asked to, not allowed to, or a rival owns the controls."""
    FAILSAFE = "failsafe"
    """Critical sensors are lost, or a failsafe temperature was reached."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Everything one tick saw, expected, decided and did. ``duration_s`` is what it cost."""

    snapshot: Snapshot
    forecast: Forecast | None
    decision: Decision
    applied: Applied
    intent: Intent
    limits: Mapping[str, Limit]
    mode: Mode
    duration_s: float
