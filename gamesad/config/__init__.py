"""The configuration: one frozen Config from TOML files, or every fault in them at once."""

from gamesad.config.keys import Bus, Config, Control, Crystal, Daemon, Limits, Neural, Profiles, Sensors
from gamesad.config.load import DEFAULT_DIRS, load
from gamesad.config.text import reference, show

LimitsConfig = Limits
ControlConfig = Control
CrystalConfig = Crystal
NeuralConfig = Neural

__all__ = [
    "DEFAULT_DIRS",
    "Bus",
    "Config",
    "Control",
    "ControlConfig",
    "Crystal",
    "CrystalConfig",
    "Daemon",
    "Limits",
    "LimitsConfig",
    "Neural",
    "NeuralConfig",
    "Profiles",
    "Sensors",
    "load",
    "reference",
    "show",
]
