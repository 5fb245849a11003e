"""What a simulated machine is doing: load, ambient air and faults as functions of the seconds since it started."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

FAULT_PERIOD_S = 300.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A game: what one frame costs each of its threads and the GPU, and the rate it is capped at.

    Costs are in 10⁹ cycles of a core that does one unit of work per cycle, and 10⁹ cycles of the GPU.
    """

    threads: tuple[float, ...]
    gpu: float
    cap_hz: float = 144.0


@dataclass(frozen=True, slots=True)
class Load:
    """``threads``: wanted part (0..1) of a fastest core's capacity, one number per runnable thread.

    ``endless``: the same for every thread on every core (a compile has always more to do).
    """

    threads: Sequence[float] = ()
    endless: float = 0.0
    gpu: float = 0.0
    frame: Frame | None = None
    activity: float = 1.0
    """Switching activity: vector code draws more power per cycle than waiting for memory."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken sensor for a while: ``kind`` is ``dies`` (errno), ``sticks`` or ``lies`` (``value_c``)."""

    start_s: float
    end_s: float
    kind: str
    value_c: float = 0.0
    sensor: str = "cpu"


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    description: str
    load: Callable[[float], Load]
    ambient_c: Callable[[float], float] = lambda _t: 24.0
    airflow: Callable[[float], float] = lambda _t: 1.0
    """Part of the fan's air that gets through the fins."""
    faults: tuple[Fault, ...] = ()
    on_battery: bool = False
    battery_charge: float = 0.97


_GAME = Frame(threads=(0.024, 0.017, 0.012, 0.009, 0.005, 0.005), gpu=0.0150)
_HEAVY_GAME = Frame(
    threads=(0.030, 0.029, 0.028, 0.026, 0.025, 0.024, 0.018, 0.018, 0.016, 0.016), gpu=0.014, cap_hz=200.0
)
_IDLE = Load(threads=(0.03, 0.01, 0.005), gpu=0.01)
_STEADY_GAME = Load(threads=(0.03, 0.02), frame=_GAME)
_RAID = Load(threads=(0.05, 0.05), frame=_HEAVY_GAME, activity=1.25)
_LOBBY = Load(threads=(0.10, 0.05, 0.02), gpu=0.08)
_COMPILE = Load(endless=1.0)
_LINK = Load(threads=(1.0, 0.25, 0.1))
_OFFICE = Load(threads=(0.25, 0.12, 0.05, 0.02), gpu=0.05)
_VIDEO = Load(threads=(0.16, 0.10, 0.06), gpu=0.12)


def _bursty_game(t: float) -> Load:
    """Ninety seconds of fight, forty-five of menus."""
    return _RAID if t % 135.0 < 90.0 else _LOBBY


def _compile(t: float) -> Load:
    """Three minutes of compiling on every core, then ten seconds of linking on one."""
    return _COMPILE if t % 190.0 < 180.0 else _LINK


def _battery(t: float) -> Load:
    return _VIDEO if t % 240.0 > 150.0 else _OFFICE


def _heat_wave(t: float) -> float:
    """From 24 °C to 42 °C in ten minutes."""
    return 24.0 + 18.0 * min(t / 600.0, 1.0)


def _clogging(t: float) -> float:
    """Dust: from all of the air to a sixth of it within two minutes."""
    return 1.0 - 0.83 * min(t / 120.0, 1.0)


_FAULTS = (
    Fault(60.0, 90.0, "dies"),
    Fault(120.0, 160.0, "sticks"),
    Fault(190.0, 200.0, "lies", 216.0),
    Fault(200.0, 210.0, "lies", -44.0),
    Fault(230.0, 250.0, "dies", sensor="everything"),
)

SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("idle", "a desktop session with nobody at it", lambda _t: _IDLE),
        Scenario("steady-game", "a game of even load", lambda _t: _STEADY_GAME),
        Scenario("bursty-game", "a heavy game that fights and rests in turn", _bursty_game),
        Scenario("compile", "every core busy, a link step every three minutes", _compile),
        Scenario("heat-wave", "compiling while the room warms from 24 to 42 °C", _compile, ambient_c=_heat_wave),
        Scenario("clogged-fan", "a heavy game while dust takes the fan's air", lambda _t: _RAID, airflow=_clogging),
        Scenario("failing-sensor", "compiling while the CPU's sensor dies, sticks and lies", _compile, faults=_FAULTS),
        Scenario("battery", "office work and video without mains", _battery, on_battery=True, battery_charge=0.78),
    )
}
